//! The container file: a small image that does not run as root and takes nothing from elsewhere.

use crate::workspace::Workspace;

/// Every instruction of a container file, with its arguments.
fn instructions(text: &str) -> Vec<(&str, &str)> {
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.map(|line| line.split_once(' ').unwrap_or((line, ""))).collect()
}

/// What is wrong with a container file.
fn faults(text: &str) -> Vec<String> {
    let instructions = instructions(text);
    let mut faults = Vec::new();
    let mut fault = |text: String| faults.push(text);
    for (word, arguments) in &instructions {
        match *word {
            "FROM" if *arguments == "scratch" => {}
            "FROM" => fault(format!("FROM {arguments}: not scratch")),
            "COPY" if arguments.starts_with("--") || arguments.contains('*') => {
                fault(format!("COPY {arguments}: not by name"))
            }
            "COPY" if arguments.split(' ').any(|path| path == "." || path == "./") => {
                fault("COPY of a folder".to_owned())
            }
            "COPY" | "CMD" | "ENTRYPOINT" | "LABEL" | "USER" => {}
            _ => fault(format!("{word} is not expected here")),
        }
    }
    let of =
        |wanted: &str| instructions.iter().rev().find(|(word, _)| *word == wanted).map(|(_, rest)| *rest);
    let is_user = |user: &str| {
        let mut parts = user.split(':');
        parts.all(|part| part.parse::<u32>().is_ok_and(|number| number != 0))
    };
    if !of("USER").is_some_and(is_user) {
        fault("USER is not a number other than 0".to_owned());
    }
    if !of("ENTRYPOINT").is_some_and(|entry| entry.starts_with('[')) {
        fault("ENTRYPOINT needs a shell".to_owned());
    }
    faults
}

#[test]
fn the_container_file_is_small_and_has_no_root() {
    let text = Workspace::load().unwrap().read("packaging/Containerfile").unwrap();
    assert_eq!(faults(&text), Vec::<String>::new());
}

#[test]
fn faults_of_container_files_are_found() {
    let good = "FROM scratch\nCOPY bin/a /a\nUSER 1:1\nENTRYPOINT [\"/a\"]\n";
    assert_eq!(faults(good), Vec::<String>::new());
    for (from, to) in [
        ("FROM scratch", "FROM debian:latest"),
        ("COPY bin/a /a", "ADD https://example.com/a /a"),
        ("COPY bin/a /a", "COPY . /a"),
        ("COPY bin/a /a", "COPY bin/* /"),
        ("COPY bin/a /a", "RUN curl https://example.com"),
        ("USER 1:1", ""),
        ("USER 1:1", "USER root"),
        ("USER 1:1", "USER 0"),
        ("USER 1:1", "USER 1\nUSER 1:0"),
        ("ENTRYPOINT [\"/a\"]", "ENTRYPOINT /a"),
    ] {
        assert_eq!(faults(&good.replace(from, to)).len(), 1, "{from} as {to}");
    }
}

#[test]
fn the_container_file_copies_what_dist_stages() {
    let workspace = Workspace::load().unwrap();
    let text = workspace.read("packaging/Containerfile").unwrap();
    let sources: Vec<_> = instructions(&text)
        .into_iter()
        .filter(|(word, _)| *word == "COPY")
        .flat_map(|(_, arguments)| arguments.rsplit_once(' ').unwrap().0.split(' '))
        .collect();
    assert!(sources.contains(&"bin/certcheck"), "{sources:?}");
    assert!(sources.iter().all(|path| *path == "bin/certcheck" || path.starts_with("share/doc/certcheck/")));
}
