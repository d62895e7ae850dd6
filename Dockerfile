# tzeva with TLS to Kafka, Redis and the schema registry, run by a user without rights.
FROM rust:1.95-bookworm AS build
RUN apt-get update \
 && apt-get install -y --no-install-recommends libssl-dev \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /src
COPY . .
RUN cargo build --release --locked -p tzeva --features tls

FROM debian:bookworm-slim
RUN apt-get update \
 && apt-get install -y --no-install-recommends ca-certificates curl libssl3 \
 && rm -rf /var/lib/apt/lists/* \
 && useradd --system --uid 10001 --home-dir /var/lib/tzeva --create-home tzeva
COPY --from=build /src/target/release/tzeva /usr/local/bin/tzeva
COPY audiences/retail /etc/tzeva/audiences
COPY LICENSE NOTICE /usr/share/doc/tzeva/
USER tzeva
WORKDIR /var/lib/tzeva
ENV TZEVA_AUDIENCES=/etc/tzeva/audiences
EXPOSE 8650
ENTRYPOINT ["tzeva"]
CMD ["run"]
