package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"k8s.io/component-base/version"
)

const (
	// readyTimeout is the time that a whole start may take. It is long, because machines that build are slow.
	readyTimeout = 2 * time.Minute
	// attempts is how often a start is tried when another process took one of the ports.
	attempts = 5
)

// description is what run prints, on one line, when the cluster is ready.
type description struct {
	// Dir holds everything that the cluster writes. It is removed when the cluster stops.
	Dir string `json:"dir"`
	// Kubeconfig is the file with which one is the admin.
	Kubeconfig string `json:"kubeconfig"`
	Server     string `json:"server"`
	// CA is the certificate of the authority that signed the server's, in PEM.
	CA string `json:"ca"`
	// Tokens are the bearer tokens, by user.
	Tokens map[string]string `json:"tokens"`
	// KubeletPort is the port at which kwok plays the kubelets.
	KubeletPort int    `json:"kubeletPort"`
	Version     string `json:"version"`
	// PIDs are the processes, by component.
	PIDs map[string]int `json:"pids"`
}

// run starts a cluster, describes it on standard output, and stops it when standard input ends, on SIGINT or SIGTERM.
func run() error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		stop()
	}()

	path, err := os.MkdirTemp("", "test-cluster-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(path)

	for attempt := 1; ; attempt++ {
		err := runIn(ctx, dir(path))
		if ctx.Err() != nil {
			return nil // Asked to stop: whatever failed then, failed for that.
		}
		if attempt == attempts || !errors.Is(err, errPortTaken) {
			return err
		}
	}
}

// runIn is one attempt. It returns when a component ends or the context is done, and no component is left then.
func runIn(ctx context.Context, d dir) error {
	if err := os.RemoveAll(d.file("etcd")); err != nil {
		return err
	}
	ca, tokens, err := writeCredentials(d)
	if err != nil {
		return err
	}
	p, err := freePorts()
	if err != nil {
		return err
	}
	if err := writeKubeconfig(d, p, tokens["admin"]); err != nil {
		return err
	}
	if err := writeStages(d); err != nil {
		return err
	}

	s := newSupervisor(d)
	defer s.stop()
	startCtx, cancel := context.WithTimeoutCause(ctx, readyTimeout, fmt.Errorf("not ready after %s", readyTimeout))
	defer cancel()
	started := make(chan error, 1)
	go func() { started <- s.startAll(startCtx, p, newAPI(p, ca, tokens["admin"])) }()
	for {
		select {
		case err := <-started:
			if err != nil {
				return err
			}
			err = json.NewEncoder(os.Stdout).Encode(description{
				Dir:         string(d),
				Kubeconfig:  d.file(kubeconfigName),
				Server:      p.apiserverURL(),
				CA:          ca,
				Tokens:      tokens,
				KubeletPort: p.kwok,
				Version:     version.Get().GitVersion,
				PIDs:        s.pids(),
			})
			if err != nil {
				return err
			}
			started = nil
		case ended := <-s.ended:
			// The start may still add components.
			if started != nil {
				cancel()
				<-started
			}
			return s.failure(ended)
		case <-ctx.Done():
			if started != nil {
				<-started
			}
			return ctx.Err()
		}
	}
}

// startAll starts the components, each when what it needs is ready, and waits until the last is.
func (s *supervisor) startAll(ctx context.Context, p ports, api *api) error {
	d := s.dir
	if err := s.start("etcd", etcdArgs(d, p)); err != nil {
		return err
	}
	if err := api.await(ctx, p.etcdURL()+"/readyz"); err != nil {
		return err
	}
	if err := s.start("kube-apiserver", apiserverArgs(d, p)); err != nil {
		return err
	}
	if err := api.await(ctx, p.apiserverURL()+"/readyz"); err != nil {
		return err
	}
	if err := s.start("kube-controller-manager", controllerManagerArgs(d, p)); err != nil {
		return err
	}
	if err := s.start("kube-scheduler", schedulerArgs(d, p)); err != nil {
		return err
	}
	for _, definition := range kwokDefinitions {
		url := p.apiserverURL() + "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
		if err := api.create(ctx, url, definition); err != nil {
			return err
		}
	}
	for plural := range kwokDefinitions {
		if err := api.await(ctx, p.apiserverURL()+"/apis/kwok.x-k8s.io/v1alpha1/"+plural); err != nil {
			return err
		}
	}
	if err := s.start("kwok", kwokArgs(d, p)); err != nil {
		return err
	}
	for _, url := range []string{
		fmt.Sprintf("https://127.0.0.1:%d/healthz", p.controllerManager),
		fmt.Sprintf("https://127.0.0.1:%d/healthz", p.scheduler),
		fmt.Sprintf("https://127.0.0.1:%d/healthz", p.kwok),
		// No pod can be made before its service account is there.
		p.apiserverURL() + "/api/v1/namespaces/default/serviceaccounts/default",
	} {
		if err := api.await(ctx, url); err != nil {
			return err
		}
	}
	return nil
}

// api speaks HTTP to the components, as the admin.
type api struct {
	client http.Client
	token  string
}

func newAPI(p ports, ca, token string) *api {
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM([]byte(ca))
	transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}
	return &api{client: http.Client{Transport: transport, Timeout: 10 * time.Second}, token: token}
}

// await asks for the URL until the answer is 200.
func (a *api) await(ctx context.Context, url string) error {
	for {
		status, body, err := a.do(ctx, http.MethodGet, url, nil)
		if err == nil && status == http.StatusOK {
			return nil
		}
		select {
		case <-ctx.Done():
			if err == nil {
				err = fmt.Errorf("%d %s", status, body)
			}
			return fmt.Errorf("%s: %w: %w", url, context.Cause(ctx), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

// create posts an object that is written in YAML.
func (a *api) create(ctx context.Context, url string, object []byte) error {
	status, body, err := a.do(ctx, http.MethodPost, url, object)
	if err != nil {
		return err
	}
	if status != http.StatusCreated {
		return fmt.Errorf("POST %s: %d %s", url, status, body)
	}
	return nil
}

func (a *api) do(ctx context.Context, method, url string, body []byte) (int, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	request.Header.Set("Authorization", "Bearer "+a.token)
	request.Header.Set("Content-Type", "application/yaml")
	response, err := a.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	return response.StatusCode, answer, err
}

// supervisor has the child processes.
type supervisor struct {
	dir      dir
	children []*child
	// ended gets each child that ends.
	ended chan *child
}

// child is a component that runs in its own process.
type child struct {
	name    string
	command *exec.Cmd
	log     string
	stdin   io.Closer
	done    chan struct{}
}

func newSupervisor(d dir) *supervisor {
	return &supervisor{dir: d, ended: make(chan *child, 8)}
}

func (s *supervisor) start(name string, args []string) error {
	self, err := os.Executable()
	if err != nil {
		return err
	}
	c := &child{name: name, log: s.dir.file(name + ".log"), done: make(chan struct{})}
	log, err := os.Create(c.log)
	if err != nil {
		return err
	}
	defer log.Close()
	c.command = exec.Command(self, append([]string{name}, args...)...)
	c.command.Stdout, c.command.Stderr = log, log
	// Nothing of the caller's: neither its kubeconfig, nor its proxies, nor ETCD_ variables, which are flags of etcd.
	c.command.Env = []string{"HOME=" + string(s.dir), "PATH=" + os.Getenv("PATH"), "TMPDIR=" + os.TempDir()}
	if c.stdin, err = c.command.StdinPipe(); err != nil {
		return err
	}
	if err := c.command.Start(); err != nil {
		return err
	}
	s.children = append(s.children, c)
	go func() {
		_ = c.command.Wait()
		close(c.done)
		s.ended <- c
	}()
	return nil
}

// stop kills the children: nothing that they could still save is wanted.
func (s *supervisor) stop() {
	for _, c := range s.children {
		_ = c.command.Process.Kill()
	}
	for _, c := range s.children {
		<-c.done
	}
}

func (s *supervisor) pids() map[string]int {
	pids := map[string]int{}
	for _, c := range s.children {
		pids[c.name] = c.command.Process.Pid
	}
	return pids
}

var errPortTaken = errors.New("port taken")

// failure says why a child ended, from its log.
func (s *supervisor) failure(c *child) error {
	log, err := os.ReadFile(c.log)
	if err != nil {
		return err
	}
	if bytes.Contains(log, []byte("address already in use")) {
		return fmt.Errorf("%s: %w", c.name, errPortTaken)
	}
	lines := strings.Split(strings.TrimSpace(string(log)), "\n")
	last := lines[max(0, len(lines)-20):]
	return fmt.Errorf("%s ended (%s); the end of its log:\n%s", c.name, c.command.ProcessState, strings.Join(last, "\n"))
}
