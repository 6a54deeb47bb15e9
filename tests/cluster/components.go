package main

import (
	_ "embed"
	"fmt"
	"net"
	"os"
	"strings"

	"k8s.io/component-base/version"
	"sigs.k8s.io/kwok/kustomize/crd"
)

// stages says how nodes and pods act; kwok plays them.
//
//go:embed stages.yaml
var stages string

// ports are the ports of one attempt to start the components.
type ports struct {
	etcd, apiserver, controllerManager, scheduler, kwok int
}

// freePorts lets the kernel choose. Another process may take a port before its component listens on it; the start is
// then tried again with others.
func freePorts() (ports, error) {
	var p ports
	for _, port := range []*int{&p.etcd, &p.apiserver, &p.controllerManager, &p.scheduler, &p.kwok} {
		listener, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return p, err
		}
		// Closed only when all are chosen, so that they differ.
		defer listener.Close()
		*port = listener.Addr().(*net.TCPAddr).Port
	}
	return p, nil
}

func (p ports) etcdURL() string      { return fmt.Sprintf("http://127.0.0.1:%d", p.etcd) }
func (p ports) apiserverURL() string { return fmt.Sprintf("https://127.0.0.1:%d", p.apiserver) }

func etcdArgs(d dir, p ports) []string {
	return []string{
		"--name=etcd",
		"--data-dir=" + d.file("etcd"),
		"--listen-client-urls=" + p.etcdURL(),
		"--advertise-client-urls=" + p.etcdURL(),
		// There are no peers, but etcd insists on listening for them.
		"--listen-peer-urls=http://127.0.0.1:0",
		"--initial-advertise-peer-urls=http://127.0.0.1:0",
		"--initial-cluster=etcd=http://127.0.0.1:0",
		// Nobody needs the data after a crash.
		"--unsafe-no-fsync",
		"--log-level=warn",
	}
}

func apiserverArgs(d dir, p ports) []string {
	return []string{
		fmt.Sprintf("--secure-port=%d", p.apiserver),
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		// A loopback address may not be an endpoint of the service "kubernetes".
		"--endpoint-reconciler-type=none",
		"--etcd-servers=" + p.etcdURL(),
		"--service-cluster-ip-range=" + serviceIPRange,
		"--allow-privileged=true",
		// kwok's server, and not what the name of a node may resolve to.
		"--kubelet-preferred-address-types=InternalIP",
		"--authorization-mode=RBAC",
		"--token-auth-file=" + d.file("tokens.csv"),
		"--client-ca-file=" + d.file("ca.crt"),
		"--tls-cert-file=" + d.file("server.crt"),
		"--tls-private-key-file=" + d.file("server.key"),
		"--service-account-issuer=https://kubernetes.default.svc.cluster.local",
		"--service-account-key-file=" + d.file("service-accounts.key"),
		"--service-account-signing-key-file=" + d.file("service-accounts.key"),
		// What aggregated APIs need.
		"--requestheader-client-ca-file=" + d.file("ca.crt"),
		"--requestheader-allowed-names=" + frontProxy,
		"--requestheader-username-headers=X-Remote-User",
		"--requestheader-group-headers=X-Remote-Group",
		"--requestheader-extra-headers-prefix=X-Remote-Extra-",
		"--proxy-client-cert-file=" + d.file("front-proxy.crt"),
		"--proxy-client-key-file=" + d.file("front-proxy.key"),
		"--profiling=false",
	}
}

func controllerManagerArgs(d dir, p ports) []string {
	return []string{
		fmt.Sprintf("--secure-port=%d", p.controllerManager),
		"--bind-address=127.0.0.1",
		"--tls-cert-file=" + d.file("server.crt"),
		"--tls-private-key-file=" + d.file("server.key"),
		"--kubeconfig=" + d.file(kubeconfigName),
		"--leader-elect=false",
		"--authentication-skip-lookup=true",
		"--service-account-private-key-file=" + d.file("service-accounts.key"),
		"--root-ca-file=" + d.file("ca.crt"),
		"--cluster-signing-cert-file=" + d.file("ca.crt"),
		"--cluster-signing-key-file=" + d.file("ca.key"),
		// kwok gives pods their addresses.
		"--controllers=*,-node-ipam-controller",
		"--node-monitor-period=1s",
		// Nodes are described, and do not report; in production they would count as unreachable after 50 seconds.
		"--node-monitor-grace-period=24h",
		"--profiling=false",
	}
}

func schedulerArgs(d dir, p ports) []string {
	return []string{
		fmt.Sprintf("--secure-port=%d", p.scheduler),
		"--bind-address=127.0.0.1",
		"--tls-cert-file=" + d.file("server.crt"),
		"--tls-private-key-file=" + d.file("server.key"),
		"--kubeconfig=" + d.file(kubeconfigName),
		"--leader-elect=false",
		"--authentication-skip-lookup=true",
		"--profiling=false",
	}
}

func kwokArgs(d dir, p ports) []string {
	return []string{
		"--kubeconfig=" + d.file(kubeconfigName),
		"--config=" + d.file("stages.yaml"),
		"--manage-all-nodes=true",
		"--cidr=" + podIPRange,
		// What the API server takes for the kubelets of the nodes is kwok's own server.
		"--node-ip=127.0.0.1",
		fmt.Sprintf("--node-port=%d", p.kwok),
		fmt.Sprintf("--server-address=127.0.0.1:%d", p.kwok),
		"--tls-cert-file=" + d.file("server.crt"),
		"--tls-private-key-file=" + d.file("server.key"),
		"--enable-crds=PortForward,ClusterPortForward,Logs,ClusterLogs",
	}
}

// kwokDefinitions are the definitions of the kinds that kwokArgs enables, by their plural.
var kwokDefinitions = map[string][]byte{
	"portforwards":        crd.PortForward,
	"clusterportforwards": crd.ClusterPortForward,
	"logs":                crd.Logs,
	"clusterlogs":         crd.ClusterLogs,
}

// writeStages writes the stages for kwok. Nodes have the version of the control plane, unless told otherwise.
func writeStages(d dir) error {
	text := strings.ReplaceAll(stages, "KUBERNETES_VERSION", version.Get().GitVersion)
	return os.WriteFile(d.file("stages.yaml"), []byte(text), 0o600)
}
