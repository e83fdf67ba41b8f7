//! What becomes of the files of a local server, without any process but this one.

use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::lock::Lock;
use super::{Claim, DataDir, State, data_dir, port_of};

fn place() -> (TempDir, DataDir) {
    let temp = tempfile::tempdir().unwrap();
    let dir = DataDir::open(&temp.path().join("data")).unwrap();
    (temp, dir)
}

fn mode_of(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn set_mode(path: &Path, mode: u32) {
    std::fs::set_permissions(path, PermissionsExt::from_mode(mode)).unwrap();
}

#[test]
fn a_server_is_found_from_when_it_says_so_until_it_withdraws() {
    let (_temp, dir) = place();
    let mut claim = Claim::take(dir.clone()).unwrap();
    assert_eq!(State::of_living(&dir).unwrap(), None);
    claim.publish("http://127.0.0.1:7".to_owned(), "hitl_t".to_owned()).unwrap();
    let state = State::of_living(&dir).unwrap().unwrap();
    assert_eq!((state.endpoint.as_str(), state.pid), ("http://127.0.0.1:7", std::process::id()));
    assert_eq!(
        [mode_of(dir.path()), mode_of(&dir.state()), mode_of(&dir.lock())],
        [0o700, 0o600, 0o600]
    );
    claim.withdraw();
    assert_eq!(State::of_living(&dir).unwrap(), None);
    assert!(!dir.state().exists());
    assert!(Lock::try_take(&dir).unwrap().is_none(), "it may still write, so no other may start");
    drop(claim);
    assert!(Lock::try_take(&dir).unwrap().is_some());
}

#[test]
fn the_file_of_a_process_that_is_gone_is_not_believed_though_its_number_is_that_of_one_that_lives()
{
    let (_temp, dir) = place();
    let file =
        State::ours("http://127.0.0.1:7001".to_owned(), "hitl_t".to_owned()).publish(&dir).unwrap();
    assert!(State::of_living(&dir).unwrap().is_some());
    drop(file);
    assert_eq!(State::of_living(&dir).unwrap(), None);
    assert_eq!(State::last_port(&dir), Some(7001), "links that people have keep their port");
}

#[test]
fn two_servers_cannot_be_the_local_one_and_the_second_is_told_whom_to_end() {
    let (_temp, dir) = place();
    let _first = Claim::take(dir.clone()).unwrap();
    let refused = Claim::take(dir).unwrap_err().to_string();
    assert!(refused.contains(&format!("`kill {}`", std::process::id())), "{refused}");
}

#[test]
fn what_others_can_get_at_is_refused_with_the_command_that_mends_it() {
    let (_temp, dir) = place();
    let _held =
        State::ours("http://127.0.0.1:7".to_owned(), "hitl_t".to_owned()).publish(&dir).unwrap();
    drop(Lock::try_take(&dir).unwrap());
    for (path, private, exposed) in [
        (dir.path().to_owned(), 0o700, [0o755, 0o730, 0o702]),
        (dir.state(), 0o600, [0o644, 0o620, 0o602]),
        (dir.lock(), 0o600, [0o644, 0o620, 0o602]),
    ] {
        for mode in exposed {
            set_mode(&path, mode);
            let opened = DataDir::open(dir.path());
            let found = opened.and_then(|dir| State::of_living(&dir).and(Lock::try_take(&dir)));
            let refused = found.unwrap_err().to_string();
            let command = format!("`chmod {private:o} {}`", path.display());
            assert!(refused.contains(&command), "{mode:o}: {refused}");
        }
        set_mode(&path, private);
    }
    State::of_living(&DataDir::open(dir.path()).unwrap()).unwrap().unwrap();
}

#[test]
fn a_server_of_another_machine_or_container_is_not_used() {
    let (_temp, dir) = place();
    let ours = State::ours("http://127.0.0.1:7".to_owned(), "hitl_t".to_owned());
    let _held = State { network: "elsewhere".to_owned(), ..ours }.publish(&dir).unwrap();
    let refused = State::of_living(&dir).unwrap_err().to_string();
    assert!(refused.contains("HITL_DATA_DIR") && refused.contains("HITL_ENDPOINT"), "{refused}");
}

#[test]
fn fields_of_later_versions_are_ignored_and_what_is_no_state_says_what_to_do() {
    let (_temp, dir) = place();
    let held =
        State::ours("http://127.0.0.1:7".to_owned(), "hitl_t".to_owned()).publish(&dir).unwrap();
    let mut json: serde_json::Value =
        serde_json::from_slice(&std::fs::read(dir.state()).unwrap()).unwrap();
    json["token"] = "later".into();
    // In place, so that the lock stays on it.
    std::fs::write(dir.state(), json.to_string()).unwrap();
    assert!(State::of_living(&dir).unwrap().is_some());
    std::fs::write(dir.state(), "{}").unwrap();
    let refused = State::of_living(&dir).unwrap_err().to_string();
    assert!(refused.contains("end the server that wrote it"), "{refused}");
    drop(held);
}

#[test]
fn no_data_is_kept_in_the_working_directory_by_accident() {
    let find = |given: Option<&str>, vars: &[(&str, &str)]| {
        let of = |name: &str| vars.iter().find(|(key, _)| *key == name);
        data_dir(given.map(PathBuf::from), |name| of(name).map(|(_, value)| value.into()))
    };
    for relative in ["", ".", "users/ada"] {
        assert_eq!(find(None, &[("HOME", relative), ("XDG_DATA_HOME", relative)]), None);
        let home = [("HOME", "/users/ada"), ("XDG_DATA_HOME", relative)];
        assert_eq!(find(Some(""), &home), Some("/users/ada/.local/share/hitl".into()));
    }
    let shared = [("HOME", "/users/ada"), ("XDG_DATA_HOME", "/data")];
    assert_eq!(find(None, &shared), Some("/data/hitl".into()));
    assert_eq!(find(Some("/mine"), &shared), Some("/mine".into()));
}

#[test]
fn a_port_is_digits_from_1_to_65535() {
    for none in [None, Some("")] {
        assert_eq!(port_of(none).unwrap(), None);
    }
    assert_eq!(port_of(Some("7001")).unwrap().map(u16::from), Some(7001));
    for wrong in ["x", "0", "65536", "1.5", "+80", " 80", "tcp://10.0.0.1:4485"] {
        let refused = port_of(Some(wrong)).unwrap_err().to_string();
        assert!(refused.contains("HITL_PORT") && refused.contains("1 to 65535"), "{refused}");
    }
}

#[tokio::test(start_paused = true)]
async fn who_waits_in_vain_for_another_to_start_or_end_is_told_whom_to_end() {
    let (_temp, dir) = place();
    let _held = Claim::take(dir.clone()).unwrap();
    let begun = tokio::time::Instant::now();
    let refused = super::up(&dir, None).await.unwrap_err().to_string();
    assert!(refused.contains(&format!("`kill {}`", std::process::id())), "{refused}");
    assert_eq!(begun.elapsed().as_secs(), 10);
}
