use super::*;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::oneshot;

fn pages(token: Option<&str>) -> Pages {
    let build = BuildInfo { version: "0.0.0", features: vec![] };
    let (registry, health) = (Registry::default(), Health::default());
    Pages { registry, health, build, token: token.map(Into::into), more: Router::new() }
}

async fn status(address: SocketAddr, path: &str, token: Option<&str>) -> u16 {
    let mut stream = tokio::net::TcpStream::connect(address).await.unwrap();
    let authorization =
        token.map_or_else(String::new, |t| format!("Authorization: Bearer {t}\r\n"));
    let request =
        format!("GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{authorization}\r\n");
    stream.write_all(request.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer[9..12].parse().unwrap()
}

#[tokio::test]
async fn health_is_open_and_the_rest_asks_for_the_token() {
    let pages = pages(Some("secret"));
    let health = pages.health.clone();
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async move { drop(stopped.await) };
    let (address, serving) = serve("127.0.0.1:0".parse().unwrap(), pages, stopped).await.unwrap();
    let server = tokio::spawn(serving);
    assert_eq!(status(address, "/livez", None).await, 200);
    assert_eq!(status(address, "/readyz", None).await, 503);
    health.started();
    assert_eq!(status(address, "/readyz", None).await, 200);
    assert_eq!(status(address, "/metrics", None).await, 401);
    assert_eq!(status(address, "/metrics", Some("wrong!")).await, 401);
    assert_eq!(status(address, "/metrics", Some("secret")).await, 200);
    drop(stop);
    server.await.unwrap();
}

#[tokio::test]
async fn beyond_loopback_a_token_is_required() {
    let stop = std::future::pending();
    let refused = serve("0.0.0.0:0".parse().unwrap(), pages(None), stop).await;
    assert!(matches!(refused.map(|_| ()), Err(HttpError::NoToken(_))));
}
