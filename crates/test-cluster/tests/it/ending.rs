//! Nothing stays when a cluster ends, however it ends.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

use test_cluster::{TestCluster, wait_for};

/// The variable that makes a copy of this test binary start a cluster and then end as its value says.
const ROLE: &str = "TEST_CLUSTER_ROLE";

/// Whether a process runs. One that has ended but was not reaped does not.
fn runs(pid: u32) -> bool {
    let ps = Command::new("ps")
        .args(["-o", "stat=", "-p", &pid.to_string()])
        .output()
        .unwrap();
    let state = String::from_utf8_lossy(&ps.stdout).trim().to_owned();
    !state.is_empty() && !state.starts_with('Z')
}

async fn all_end(pids: &[u32]) {
    wait_for(format_args!("the processes {pids:?} to end"), async || {
        pids.iter().all(|&pid| !runs(pid)).then_some(())
    })
    .await;
}

/// Not a test of its own: what the copies run.
#[test]
fn copy() {
    let Ok(role) = std::env::var(ROLE) else { return };
    let cluster = TestCluster::shared();
    let pids: Vec<_> = cluster.pids().iter().map(ToString::to_string).collect();
    let folder = cluster.kubeconfig().parent().unwrap();
    fs_err::write(&role, format!("{}\n{}\n", pids.join(" "), folder.display())).unwrap();
    assert!(!role.ends_with("panic"), "as told");
    let mut rest = Vec::new();
    std::io::stdin().read_to_end(&mut rest).unwrap();
}

/// Starts a copy, and returns it with the processes and the folder of its cluster.
async fn start_copy(role: &str) -> (Child, Vec<u32>, String) {
    let file = std::env::temp_dir().join(format!("test-cluster-copy-{}-{role}", std::process::id()));
    let copy = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "ending::copy"])
        .env(ROLE, &file)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let lines = wait_for("the copy's cluster", async || {
        let lines = BufReader::new(fs_err::File::open(&file).ok()?).lines();
        let lines: Vec<_> = lines.map_while(Result::ok).collect();
        (lines.len() == 2).then_some(lines)
    })
    .await;
    fs_err::remove_file(&file).unwrap();
    let pids = lines[0].split(' ').map(|pid| pid.parse().unwrap()).collect();
    (copy, pids, lines[1].clone())
}

#[tokio::test]
async fn drop_ends_the_cluster() {
    let cluster = TestCluster::start().unwrap();
    let pids = cluster.pids();
    assert_eq!(
        pids.len(),
        6,
        "etcd, API server, controller manager, scheduler, kwok and their supervisor"
    );
    assert!(pids.iter().all(|&pid| runs(pid)));
    let folder = cluster.kubeconfig().parent().unwrap().to_owned();
    drop(cluster);
    assert!(pids.iter().all(|&pid| !runs(pid)));
    assert!(!folder.exists());
}

#[tokio::test]
async fn killed_process_takes_its_cluster_along() {
    let (mut copy, pids, folder) = start_copy("kill").await;
    assert!(pids.iter().all(|&pid| runs(pid)));
    copy.kill().unwrap();
    copy.wait().unwrap();
    all_end(&pids).await;
    assert!(!std::path::Path::new(&folder).exists());
}

#[tokio::test]
async fn panicking_process_takes_its_cluster_along() {
    let (mut copy, pids, folder) = start_copy("panic").await;
    assert!(!copy.wait().unwrap().success());
    all_end(&pids).await;
    assert!(!std::path::Path::new(&folder).exists());
}

#[tokio::test]
async fn killed_supervisor_leaves_no_components() {
    let cluster = TestCluster::start().unwrap();
    let pids = cluster.pids();
    let supervisor = pids.last().unwrap().to_string();
    assert!(
        Command::new("kill")
            .args(["-KILL", &supervisor])
            .status()
            .unwrap()
            .success()
    );
    all_end(&pids).await;
    fs_err::remove_dir_all(cluster.kubeconfig().parent().unwrap()).unwrap();
}
