// The program test-cluster is a Kubernetes control plane in one binary, for tests.
//
// "test-cluster run" starts etcd, kube-apiserver, kube-controller-manager, kube-scheduler and kwok, each as a child
// process that runs this same binary: the components have global flags and registries, and so cannot share a process.
// Everything listens on 127.0.0.1, and everything that is written goes to a temporary directory.
package main

import (
	"context"
	"fmt"
	"io"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kwokconfig "sigs.k8s.io/kwok/pkg/config"
	kwok "sigs.k8s.io/kwok/pkg/kwok/cmd"
)

func main() {
	command := ""
	if len(os.Args) > 1 {
		command = os.Args[1]
	}
	if command == "run" {
		if err := run(); err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
			os.Exit(1)
		}
		return
	}

	// From here on this process is one component. The others look at os.Args themselves.
	os.Args = os.Args[min(1, len(os.Args)-1):]
	go exitWithParent()
	switch command {
	case "etcd":
		etcdmain.Main(os.Args)
	case "kube-apiserver":
		os.Exit(runCobra(apiserver.NewAPIServerCommand()))
	case "kube-controller-manager":
		os.Exit(runCobra(controllermanager.NewControllerManagerCommand()))
	case "kube-scheduler":
		os.Exit(runCobra(scheduler.NewSchedulerCommand()))
	case "kwok":
		if err := runKwok(); err != nil {
			fmt.Fprintln(os.Stderr, "error:", err)
			os.Exit(1)
		}
	default:
		fmt.Fprintln(os.Stderr, "usage: test-cluster run")
		os.Exit(2)
	}
}

func runCobra(command *cobra.Command) int {
	command.SetArgs(os.Args[1:])
	return cli.Run(command)
}

// runKwok reads the file of --config before the other flags, because that file gives the flags their defaults.
func runKwok() error {
	global := pflag.NewFlagSet("global", pflag.ContinueOnError)
	global.ParseErrorsAllowlist.UnknownFlags = true
	ctx, err := kwokconfig.InitFlags(context.Background(), global)
	if err != nil {
		return err
	}
	command := kwok.NewCommand(ctx)
	// The other components have a global --version of another type, on which cobra's own would fail.
	command.Version = ""
	command.PersistentFlags().AddFlagSet(global)
	return command.ExecuteContext(ctx)
}

// exitWithParent ends this process when the one that started it is gone, however it went: the parent alone holds the
// other end of the standard input.
func exitWithParent() {
	_, _ = io.Copy(io.Discard, os.Stdin)
	os.Exit(1)
}
