//! A Kafka broker of one node that is its own controller.

use super::launch::{Running, Spec, Tie, free_port, fresh_folder};
use super::{ServerError, fetch, java};
use std::fs;
use std::path::Path;
use std::process::Command;

/// A broker; stopped and removed when dropped.
#[derive(Debug)]
pub struct Kafka(Running);

// === impl Kafka ===

impl Kafka {
    /// Starts a broker; `extra` are further broker settings, such as `("log.cleaner.backoff.ms", "200")`.
    ///
    /// # Errors
    /// If Java or Maven is missing, the jars can't be fetched, or the broker doesn't come up.
    pub fn start(extra: &[(&str, &str)]) -> Result<Self, ServerError> {
        Self::launch(extra, Tie::Process).map(Self)
    }

    /// `host:port`, as `bootstrap.servers` wants it.
    #[must_use]
    pub fn bootstrap(&self) -> String {
        self.0.address().to_string()
    }

    /// The process behind it, to kill, freeze and start again.
    pub const fn process(&mut self) -> &mut Running {
        &mut self.0
    }

    pub(super) fn launch(extra: &[(&str, &str)], tie: Tie) -> Result<Running, ServerError> {
        let java = java::find_java(17)?;
        let classes = format!("{}/*", fetch::kafka_jars()?.display());
        let folder = fresh_folder("kafka")?;
        let (port, controller) = (free_port()?, free_port()?);
        let properties = folder.join("server.properties");
        fs::write(&properties, settings(&folder, port, controller, extra))
            .map_err(|e| ServerError::failed("write the broker's settings", e))?;
        format_storage(&java, &classes, &properties)?;
        let args = ["-Xmx512m", "-XX:+UseSerialGC", INFO, "-cp", &classes, "kafka.Kafka"];
        let mut args: Vec<String> = args.map(str::to_owned).to_vec();
        args.push(properties.to_string_lossy().into_owned());
        let says = Some("Kafka Server started");
        Running::start(Spec { name: "kafka", program: java, args, folder, port, says }, tie)
    }
}

/// Without a configuration log4j prints errors only, and the line that says "started" would be missing.
const INFO: &str = "-Dlog4j2.level=INFO";

fn settings(folder: &Path, port: u16, controller: u16, extra: &[(&str, &str)]) -> String {
    let mut text = format!(
        "process.roles=broker,controller\n\
         node.id=1\n\
         controller.quorum.bootstrap.servers=127.0.0.1:{controller}\n\
         listeners=PLAINTEXT://127.0.0.1:{port},CONTROLLER://127.0.0.1:{controller}\n\
         advertised.listeners=PLAINTEXT://127.0.0.1:{port}\n\
         controller.listener.names=CONTROLLER\n\
         log.dirs={}\n\
         offsets.topic.replication.factor=1\n\
         offsets.topic.num.partitions=4\n\
         transaction.state.log.replication.factor=1\n\
         transaction.state.log.num.partitions=4\n\
         transaction.state.log.min.isr=1\n\
         group.initial.rebalance.delay.ms=0\n\
         auto.create.topics.enable=false\n",
        folder.join("data").display()
    );
    for (key, value) in extra {
        text.push_str(&format!("{key}={value}\n"));
    }
    text
}

/// Gives the data folder its cluster id, without which a broker refuses to start.
fn format_storage(java: &Path, classes: &str, properties: &Path) -> Result<(), ServerError> {
    let attempt = "format the broker's folder";
    let tool = |args: &[&str]| {
        let mut command = Command::new(java);
        command.args(["-XX:TieredStopAtLevel=1", "-cp", classes, "kafka.tools.StorageTool"]);
        command.args(args).output().map_err(|e| ServerError::failed(attempt, e))
    };
    // Any 16 bytes in URL-safe base64 will do; one broker of one test never meets another.
    let id = "dHpldmEtdGVzdC1icm9rZQ";
    let file = properties.to_string_lossy();
    let out = tool(&["format", "--standalone", "-t", id, "-c", &file])?;
    if out.status.success() {
        return Ok(());
    }
    Err(ServerError::failed(attempt, String::from_utf8_lossy(&[out.stdout, out.stderr].concat())))
}
