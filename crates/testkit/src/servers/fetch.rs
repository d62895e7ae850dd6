//! Fetching servers by Maven into the cache folder, once: a lock file keeps parallel test processes apart, and a folder
//! gets its final name only when it is complete.

use super::{Missing, ServerError, cache_folder, on_path};
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::Command;

const KAFKA: &str = "4.3.1";
const LOG4J: &str = "2.25.3";
const REGISTRY: &str = "3.3.3";

/// The folder of Kafka's jars.
pub(super) fn kafka_jars() -> Result<PathBuf, ServerError> {
    once(&format!("kafka-{KAFKA}"), |folder| {
        let pom = folder.join("pom.xml");
        write(&pom, &kafka_pom())?;
        maven(
            folder,
            &["-f", &pom.to_string_lossy(), "dependency:copy-dependencies"],
            "outputDirectory",
            &folder.join("libs"),
        )
    })
    .map(|folder| folder.join("libs"))
}

/// The folder that holds the registry's `quarkus-run.jar`.
pub(super) fn registry_folder() -> Result<PathBuf, ServerError> {
    once(&format!("apicurio-{REGISTRY}"), |folder| {
        let artifact =
            format!("-Dartifact=io.apicurio:apicurio-registry-app:{REGISTRY}:tar.gz:all");
        maven(
            folder,
            &["org.apache.maven.plugins:maven-dependency-plugin:copy", &artifact],
            "outputDirectory",
            folder,
        )?;
        let packed = folder.join(format!("apicurio-registry-app-{REGISTRY}-all.tar.gz"));
        let mut tar = Command::new("tar");
        tar.arg("xzf").arg(&packed).arg("-C").arg(folder);
        run(&mut tar, "unpack the schema registry")?;
        fs::remove_file(&packed).map_err(|e| ServerError::failed("remove the packed registry", e))
    })
}

/// The folder `name` of the cache, filled by `fill` if it isn't there yet.
fn once(
    name: &str,
    fill: impl FnOnce(&Path) -> Result<(), ServerError>,
) -> Result<PathBuf, ServerError> {
    let cache = cache_folder();
    let attempt = || format!("make the folder {} in {}", name, cache.display());
    fs::create_dir_all(&cache).map_err(|e| ServerError::failed(attempt(), e))?;
    let cache = cache.canonicalize().map_err(|e| ServerError::failed(attempt(), e))?;
    let done = cache.join(name);
    let lock = File::create(cache.join(format!("{name}.lock")))
        .map_err(|e| ServerError::failed(attempt(), e))?;
    lock.lock().map_err(|e| ServerError::failed(attempt(), e))?;
    if done.is_dir() {
        return Ok(done);
    }
    let partial = cache.join(format!("{name}.partial"));
    if partial.exists() {
        fs::remove_dir_all(&partial).map_err(|e| ServerError::failed(attempt(), e))?;
    }
    fs::create_dir_all(&partial).map_err(|e| ServerError::failed(attempt(), e))?;
    fill(&partial)?;
    fs::rename(&partial, &done).map_err(|e| ServerError::failed(attempt(), e))?;
    Ok(done)
}

/// Runs Maven quietly, from `folder`, with one property set to a path.
fn maven(folder: &Path, args: &[&str], property: &str, value: &Path) -> Result<(), ServerError> {
    let mvn = on_path("mvn").ok_or_else(|| Missing {
        what: "maven".to_owned(),
        how_to_install: "apt-get install maven".to_owned(),
    })?;
    let mut command = Command::new(mvn);
    command.current_dir(folder).args(["-B", "-q"]).args(args);
    command.arg(format!("-D{property}={}", value.display()));
    run(&mut command, &format!("fetch by maven: {}", args.join(" ")))
}

fn run(command: &mut Command, attempt: &str) -> Result<(), ServerError> {
    let out = command.output().map_err(|e| ServerError::failed(attempt, e))?;
    if out.status.success() {
        return Ok(());
    }
    let said = [out.stdout, out.stderr].concat();
    Err(ServerError::failed(attempt, String::from_utf8_lossy(&said)))
}

fn write(path: &Path, text: &str) -> Result<(), ServerError> {
    fs::write(path, text).map_err(|e| ServerError::failed(format!("write {}", path.display()), e))
}

/// Kafka's own pom names no logger; two jars of log4j make it speak.
fn kafka_pom() -> String {
    let dependency = |group: &str, artifact: &str, version: &str| {
        format!(
            "    <dependency><groupId>{group}</groupId><artifactId>{artifact}</artifactId>\
             <version>{version}</version></dependency>\n"
        )
    };
    let dependencies = [
        dependency("org.apache.kafka", "kafka_2.13", KAFKA),
        dependency("org.apache.kafka", "kafka-tools", KAFKA),
        dependency("org.apache.logging.log4j", "log4j-core", LOG4J),
        dependency("org.apache.logging.log4j", "log4j-slf4j-impl", LOG4J),
    ]
    .concat();
    format!(
        "<project xmlns=\"http://maven.apache.org/POM/4.0.0\">\n  \
         <modelVersion>4.0.0</modelVersion>\n  <groupId>tzeva</groupId>\n  \
         <artifactId>kafka-for-tests</artifactId>\n  <version>1</version>\n  \
         <packaging>pom</packaging>\n  <dependencies>\n{dependencies}  </dependencies>\n</project>\n"
    )
}
