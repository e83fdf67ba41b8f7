//! What each kind of lock fixes, and how it is told that something is not fixed.

use super::*;

/// `name version` of every package, and `path:line` of every finding.
fn read_all(files: &[(&str, &str)]) -> (Vec<String>, Vec<String>) {
    let (locks, findings) = read(&Tree::of(files));
    let packages = locks.iter().flat_map(|lock| &lock.packages);
    (
        packages.map(|package| format!("{} {}", package.name, package.version)).collect(),
        findings.iter().map(|finding| format!("{}:{}", finding.path, finding.line)).collect(),
    )
}

#[test]
fn a_crate_of_a_registry_has_a_checksum() {
    let lock = "version = 4\n\n[[package]]\nname = \"h2\"\nversion = \"0.4.16\"\nsource = \"registry\"\n\
                checksum = \"ab\"\n\n\
                [[package]]\nname = \"hitl\"\nversion = \"0.1.0\"\n\n\
                [[package]]\nname = \"evil\"\nversion = \"1.0.0\"\nsource = \"git+https\"\n";
    let (packages, findings) = read_all(&[("Cargo.lock", lock)]);
    assert_eq!(packages, ["h2 0.4.16", "hitl 0.1.0", "evil 1.0.0"]);
    assert_eq!(findings, ["Cargo.lock:13"]);
}

#[test]
fn what_npm_installs_is_in_its_lock_whole() {
    let manifest = r#"{"dependencies": {"a": "^1"}}"#;
    let lock = r#"{"packages": {
        "": {"dependencies": {"a": "^1"}},
        "node_modules/a": {"version": "1.2.3", "integrity": "sha512-x"},
        "node_modules/a/node_modules/@b/c": {"version": "2.0.0"}
    }}"#;
    let (packages, findings) =
        read_all(&[("x/package.json", manifest), ("x/package-lock.json", lock)]);
    assert_eq!(packages, ["a 1.2.3", "@b/c 2.0.0"]);
    assert_eq!(findings, ["x/package-lock.json:4"]);
    let (_, findings) = read_all(&[("x/package.json", manifest)]);
    assert_eq!(findings, ["x/package.json:1"]);
    let newer = r#"{"dependencies": {"a": "^2"}}"#;
    let (_, findings) = read_all(&[("x/package.json", newer), ("x/package-lock.json", lock)]);
    assert_eq!(findings[0], "x/package.json:1");
}

#[test]
fn what_pip_installs_has_a_version_and_a_hash() {
    let lock = "# made by\na-b==1.0 ; python_version < '4' \\\n    --hash=sha256:ab\n\
                c==2.0\nd>=1 \\\n    --hash=sha256:ab\n";
    let (packages, findings) = read_all(&[
        ("dev-requirements.lock", lock),
        ("dev-requirements.txt", "# what is wanted\nA_b==1.0\ne==3\n"),
    ]);
    assert_eq!(packages, ["a-b 1.0"]);
    let expected = ["dev-requirements.lock:4", "dev-requirements.lock:5", "dev-requirements.txt:3"];
    assert_eq!(findings, expected);
}

#[test]
fn what_go_requires_has_a_sum() {
    let module = "module hitl.dev/go\n\ngo 1.26.0\n\nrequire (\n\
                  \tgolang.org/x/net v0.26.0 // indirect\n\tgolang.org/x/sys v0.21.0\n)\n";
    let sums = "golang.org/x/net v0.26.0 h1:x=\ngolang.org/x/sys v0.21.0/go.mod h1:x=\n";
    let (packages, findings) = read_all(&[("go.mod", module), ("go.sum", sums)]);
    assert_eq!(packages, ["golang.org/x/net v0.26.0", "golang.org/x/sys v0.21.0"]);
    assert_eq!(findings, ["go.mod:7"]);
}

#[test]
fn what_maven_takes_has_an_exact_version() {
    let part = |name: &str, version: &str| {
        format!(
            "<dependency><groupId>g</groupId><artifactId>{name}</artifactId>{version}</dependency>\n"
        )
    };
    let pom = [
        "<project><properties><v>1.2</v></properties>\n".to_owned(),
        part("a", "<version>${v}</version>"),
        part("b", "<version>[1,2)</version>"),
        part("c", ""),
        "<plugin><artifactId>p</artifactId><version>3-SNAPSHOT</version></plugin>".to_owned(),
    ]
    .concat();
    let (packages, findings) = read_all(&[("pom.xml", &pom)]);
    assert_eq!(packages[0], "g:a 1.2");
    assert_eq!(findings, ["pom.xml:3", "pom.xml:4", "pom.xml:5"]);
}
