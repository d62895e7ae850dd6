use super::*;
use std::collections::VecDeque;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// A registry that gives the answers it was told, one a request, and keeps what it was asked.
struct Fake {
    url: String,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Fake {
    async fn answering(answers: &[(u16, &str)]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let asked = Arc::<Mutex<Vec<String>>>::default();
        let mut answers: VecDeque<(u16, String)> =
            answers.iter().map(|(status, body)| (*status, (*body).to_owned())).collect();
        let seen = Arc::clone(&asked);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let Some((status, body)) = answers.pop_front() else { break };
                serve(stream, (status, &body), &seen).await;
            }
        });
        Self { url, asked }
    }

    fn settings(&self) -> Settings {
        Settings { pause: Duration::from_millis(1), ..Settings::new(&self.url) }
    }

    fn registry(&self) -> Registry {
        Registry::new(&self.settings()).unwrap()
    }

    fn asked(&self) -> Vec<String> {
        lock(&self.asked).clone()
    }
}

/// Keeps one request, head and body, and answers it. Status 0 hangs up without a word.
async fn serve(mut stream: TcpStream, (status, body): (u16, &str), seen: &Mutex<Vec<String>>) {
    let mut request = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        let read = stream.read(&mut buffer).await.unwrap();
        assert_ne!(read, 0, "the request is whole");
        request.extend_from_slice(&buffer[..read]);
        let text = String::from_utf8_lossy(&request).to_ascii_lowercase();
        let Some((head, rest)) = text.split_once("\r\n\r\n") else { continue };
        let length = head
            .split_once("content-length: ")
            .map_or(0, |(_, tail)| tail.lines().next().unwrap().trim().parse().unwrap());
        if rest.len() >= length {
            break;
        }
    }
    lock(seen).push(String::from_utf8(request).unwrap());
    if status != 0 {
        let length = body.len();
        let head = format!("HTTP/1.1 {status} X\r\ncontent-length: {length}\r\nconnection: close");
        stream.write_all(format!("{head}\r\n\r\n{body}").as_bytes()).await.unwrap();
    }
}

const FOUND: (u16, &str) = (200, r#"{"schema":"\"string\""}"#);
const MISSING: (u16, &str) = (404, r#"{"error_code":40403,"message":"Schema not found"}"#);

fn schema(text: &str) -> Answer {
    Answer::Schema(text.into())
}

#[tokio::test]
async fn a_schema_is_asked_for_once() {
    let fake = Fake::answering(&[FOUND, (500, "")]).await;
    let registry = fake.registry();
    for _ in 0..3 {
        assert_eq!(registry.schema(7).await.unwrap(), schema("\"string\""));
    }
    assert_eq!(fake.asked().len(), 1);
    assert!(fake.asked()[0].starts_with("GET /schemas/ids/7 HTTP/1.1\r\n"));
}

#[tokio::test]
async fn not_found_is_an_answer_that_is_forgotten_in_time() {
    let fake = Fake::answering(&[MISSING, FOUND]).await;
    let registry = fake.registry();
    assert_eq!(registry.schema(7).await.unwrap(), Answer::NotFound);
    assert_eq!(registry.schema(7).await.unwrap(), Answer::NotFound);
    assert_eq!(fake.asked().len(), 1);

    let fake = Fake::answering(&[MISSING, FOUND]).await;
    let settings = Settings { forget_missing_after: Duration::ZERO, ..fake.settings() };
    let registry = Registry::new(&settings).unwrap();
    assert_eq!(registry.schema(7).await.unwrap(), Answer::NotFound);
    assert_eq!(registry.schema(7).await.unwrap(), schema("\"string\""));
}

#[tokio::test]
async fn trouble_is_tried_again_and_never_told_as_not_found() {
    let fake = Fake::answering(&[(503, ""), (0, ""), (429, "{}"), FOUND]).await;
    assert_eq!(fake.registry().schema(7).await.unwrap(), schema("\"string\""));

    let fake = Fake::answering(&[(503, "<html>"); 4]).await;
    let error = fake.registry().schema(7).await.unwrap_err();
    assert!(error.is_transient());
    assert_eq!((error.status(), fake.asked().len()), (Some(503), 4));
}

#[tokio::test]
async fn a_refusal_is_not_tried_again() {
    let fake = Fake::answering(&[(401, r#"{"message":"who are you"}"#), FOUND]).await;
    let error = fake.registry().schema(7).await.unwrap_err();
    assert!(!error.is_transient());
    assert_eq!(error.to_string(), "GET schemas/ids/7 at the schema registry");
    let source = std::error::Error::source(&error).unwrap();
    assert_eq!(source.to_string(), "status 401: who are you");
    assert_eq!(fake.asked().len(), 1);
}

#[tokio::test]
async fn a_registry_that_is_away_is_transient() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    drop(listener);
    let settings = Settings { pause: Duration::from_millis(1), attempts: 2, ..Settings::new(url) };
    assert!(Registry::new(&settings).unwrap().schema(7).await.unwrap_err().is_transient());
}

#[tokio::test]
async fn credentials_are_sent_and_never_shown() {
    let fake = Fake::answering(&[FOUND, FOUND]).await;
    let basic = Auth::Basic { user: "key".into(), password: Secret::new("hush") };
    let settings = Settings { auth: basic, ..fake.settings() };
    assert!(!format!("{settings:?}").contains("hush"));
    Registry::new(&settings).unwrap().schema(7).await.unwrap();
    assert!(fake.asked()[0].contains("authorization: Basic a2V5Omh1c2g="));

    let settings = Settings { auth: Auth::Bearer(Secret::new("tok")), ..fake.settings() };
    Registry::new(&settings).unwrap().schema(7).await.unwrap();
    assert!(fake.asked()[1].contains("authorization: Bearer tok"));
}

#[tokio::test]
async fn references_are_resolved_and_other_formats_named() {
    let money =
        r#"{"schema":"{\"type\":\"fixed\",\"name\":\"shop.Money\",\"size\":8}","version":3}"#;
    let order = r#"{"schema":"{\"type\":\"array\",\"items\":\"shop.Money\"}",
        "references":[{"name":"shop.Money","subject":"money/eur","version":3}]}"#;
    let proto = r#"{"schema":"syntax = \"proto3\";","schemaType":"PROTOBUF"}"#;
    let fake = Fake::answering(&[(200, order), (200, money), (200, proto)]).await;
    let registry = fake.registry();
    let want = r#"{"items":{"name":"shop.Money","size":8,"type":"fixed"},"type":"array"}"#;
    assert_eq!(registry.schema(7).await.unwrap(), schema(want));
    assert!(fake.asked()[1].starts_with("GET /subjects/money%2Feur/versions/3 "));
    assert_eq!(registry.schema(8).await.unwrap(), Answer::NotAvro("PROTOBUF".into()));
}

#[tokio::test]
async fn subjects_are_listed_checked_and_registered() {
    let latest = r#"{"subject":"v","id":9,"version":2,"schema":"\"int\""}"#;
    let fake = Fake::answering(&[
        (200, r#"["v"]"#),
        (200, latest),
        MISSING,
        (200, r#"{"is_compatible":false}"#),
        (200, r#"{"id":12}"#),
    ])
    .await;
    let registry = fake.registry();
    assert_eq!(registry.subjects().await.unwrap(), ["v"]);
    let version = Version { id: 9, version: 2, schema: "\"int\"".into() };
    assert_eq!(registry.latest("v").await.unwrap(), Some(version));
    assert_eq!(registry.latest("w").await.unwrap(), None);
    assert!(!registry.is_compatible("v", "\"int\"").await.unwrap());
    assert_eq!(registry.register("v", "\"int\"").await.unwrap(), 12);
    assert!(fake.asked()[4].starts_with("POST /subjects/v/versions "));
    assert!(fake.asked()[4].ends_with(r#"{"schema":"\"int\""}"#));
}

#[test]
fn a_plain_thread_asks_by_the_blocking_client() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let fake = runtime.block_on(Fake::answering(&[FOUND]));
    let blocking = Blocking::new(Arc::new(fake.registry())).unwrap();
    assert_eq!(blocking.schema(7).unwrap(), schema("\"string\""));
    assert_eq!(blocking.schema(7).unwrap(), schema("\"string\""));
}

#[test]
fn an_address_that_cannot_be_used_is_refused_at_the_start() {
    for url in ["registry:8081", "ftp://registry", "http://user:hush@registry"] {
        let error = Registry::new(&Settings::new(url)).unwrap_err();
        assert!(!error.is_transient());
        assert!(!format!("{error:?}").contains("hush"), "{error:?}");
    }
    let secure = Registry::new(&Settings::new("https://registry"));
    assert_eq!(secure.is_ok(), cfg!(feature = "tls"));
}
