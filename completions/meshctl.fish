# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_meshctl_global_optspecs
    string join \n color= q/quiet v/verbose h/help V/version
end

function __fish_meshctl_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_meshctl_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_meshctl_using_subcommand
    set -l cmd (__fish_meshctl_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c meshctl -n "__fish_meshctl_needs_command" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_needs_command" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_needs_command" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_needs_command" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_needs_command" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "analyze" -d 'Find what is wrong with mesh configuration'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "explain" -d 'Explain a rule, a kind of resource, or a field'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "precheck" -d 'Check whether a cluster can take a mesh, and whether the one that it has is in order'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "inject" -d 'Add sidecars to workloads'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "uninject" -d 'Take injected sidecars out of workloads'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "completion" -d 'Print a completion script for a shell'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "version" -d 'Print the version, and which versions of Istio it is for'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "util" -d 'Generate files about the program'
complete -c meshctl -n "__fish_meshctl_using_subcommand analyze" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand analyze" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand analyze" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand analyze" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand analyze" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand analyze" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand analyze" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand analyze" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'One JSON document; schemas/analyze-output.schema.json describes it'
yaml\t'The same document as YAML'
sarif\t'SARIF 2.1.0, for code scanning'
junit\t'JUnit XML, for CI servers'
github\t'Workflow commands of GitHub Actions'"
complete -c meshctl -n "__fish_meshctl_using_subcommand analyze" -l fail-on -d 'When to exit with status 1 [default: error]' -r -f -a "never\t'Never'
error\t'On errors only'
warning\t'On errors and warnings'
info\t'On any finding'"
complete -c meshctl -n "__fish_meshctl_using_subcommand analyze" -l select -d 'Run only these rules, by name or code (comma-separated, can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand analyze" -l ignore -d 'Do not run these rules, by name or code (comma-separated, can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand analyze" -s n -l namespace -d 'Namespace of objects that name none [default: default]; with --cluster, the only one to report on' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand analyze" -l istio-namespace -d 'Namespace of the control plane [default: istio-system]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand analyze" -l revision -d 'Revision of the control plane, whose configuration and objects count with --cluster' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand analyze" -l cluster-domain -d 'DNS domain of the cluster [default: cluster.local]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand analyze" -l mesh-config -d 'Mesh-wide configuration (MeshConfig) to use instead of the one in the input\'s ConfigMap `istio`' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand analyze" -l mesh-networks -d 'Networks of the mesh (MeshNetworks)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand analyze" -l config -d 'Settings file to use instead of the nearest meshctl.toml' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand analyze" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand analyze" -l cluster -d 'Read the cluster; with PATH, lay the files over it'
complete -c meshctl -n "__fish_meshctl_using_subcommand analyze" -s A -l all-namespaces -d 'Report on all namespaces, which is the default with --cluster'
complete -c meshctl -n "__fish_meshctl_using_subcommand analyze" -l all-findings -d 'With PATH and --cluster, report also what the cluster has without the files'
complete -c meshctl -n "__fish_meshctl_using_subcommand analyze" -l no-config -d 'Use no settings file'
complete -c meshctl -n "__fish_meshctl_using_subcommand analyze" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand analyze" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand analyze" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand analyze" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand explain" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'One JSON document'"
complete -c meshctl -n "__fish_meshctl_using_subcommand explain" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand explain" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand explain" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand explain" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand precheck" -l profile -d 'Profile to be installed' -r -f -a "ambient\t''
default\t''
demo\t''
empty\t''
minimal\t''
openshift\t''
openshift-ambient\t''
preview\t''
remote\t''
stable\t''"
complete -c meshctl -n "__fish_meshctl_using_subcommand precheck" -l mesh-version -d 'Version of Istio to be installed, such as 1.30 or 1.30.1 [default: the newest known]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand precheck" -l istio-namespace -d 'Namespace of the control plane' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand precheck" -l revision -d 'Revision to be installed [default: the one without a name]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand precheck" -l select -d 'Make only these checks, or those of these categories (comma-separated, can be repeated)' -r -f -a "kubernetes\t''
permissions\t''
capacity\t''
existing-mesh\t''
network\t''
workloads\t''
api-server\t''
kubernetes-version\t''
api-versions\t''
aggregated-apis\t''
kubelet-versions\t''
client-version\t''
cluster-permissions\t''
namespace-permissions\t''
grant-permissions\t''
nodes\t''
control-plane-scheduling\t''
gateway-scheduling\t''
node-agent-scheduling\t''
metrics-api\t''
istio-namespace\t''
control-planes\t''
upgrade\t''
data-plane-versions\t''
injection-webhooks\t''
validation-webhooks\t''
leftover-webhooks\t''
other-webhooks\t''
leader-election\t''
crd-versions\t''
leftover-objects\t''
deprecated-fields\t''
other-meshes\t''
load-balancer-ports\t''
cni\t''
gateway-api\t''
sidecar-pod-security\t''
network-policies\t''
ip-families\t''
dns\t''
clock-skew\t''
certificate-authority\t''
root-certificates\t''
namespace-labels\t''
pods-without-sidecar\t''
host-network\t''
proxy-uid\t''
reserved-ports\t''
jobs\t''"
complete -c meshctl -n "__fish_meshctl_using_subcommand precheck" -l ignore -d 'Leave these checks out, or those of these categories (comma-separated, can be repeated)' -r -f -a "kubernetes\t''
permissions\t''
capacity\t''
existing-mesh\t''
network\t''
workloads\t''
api-server\t''
kubernetes-version\t''
api-versions\t''
aggregated-apis\t''
kubelet-versions\t''
client-version\t''
cluster-permissions\t''
namespace-permissions\t''
grant-permissions\t''
nodes\t''
control-plane-scheduling\t''
gateway-scheduling\t''
node-agent-scheduling\t''
metrics-api\t''
istio-namespace\t''
control-planes\t''
upgrade\t''
data-plane-versions\t''
injection-webhooks\t''
validation-webhooks\t''
leftover-webhooks\t''
other-webhooks\t''
leader-election\t''
crd-versions\t''
leftover-objects\t''
deprecated-fields\t''
other-meshes\t''
load-balancer-ports\t''
cni\t''
gateway-api\t''
sidecar-pod-security\t''
network-policies\t''
ip-families\t''
dns\t''
clock-skew\t''
certificate-authority\t''
root-certificates\t''
namespace-labels\t''
pods-without-sidecar\t''
host-network\t''
proxy-uid\t''
reserved-ports\t''
jobs\t''"
complete -c meshctl -n "__fish_meshctl_using_subcommand precheck" -l wait -d 'Look again until checks that can pass by themselves do, for at most this time [default: 5m]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand precheck" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'One JSON document; schemas/precheck-output.schema.json describes it'
yaml\t'The same document as YAML'
junit\t'JUnit XML, for CI servers'"
complete -c meshctl -n "__fish_meshctl_using_subcommand precheck" -l fail-on -d 'When to exit with status 1' -r -f -a "never\t'Never'
error\t'If a check fails'
warning\t'If a check fails or warns, or what it needs cannot be read'"
complete -c meshctl -n "__fish_meshctl_using_subcommand precheck" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand precheck" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand precheck" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand precheck" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand precheck" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand precheck" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand precheck" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand precheck" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand precheck" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand precheck" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand precheck" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand precheck" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -s f -l filename -d 'Files and folders to read, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -s o -l output -d 'File to write to instead of standard output' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -l pod-template -d 'Where the pod template of another kind is, as KIND=FIELD or KIND.GROUP=FIELD (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -s n -l namespace -d 'Namespace of objects that name none' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -l mesh-config -d 'Mesh-wide configuration (MeshConfig): the key `mesh` of the ConfigMap `istio`' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -l values -d 'Values of the installation: the key `values` of the ConfigMap `istio-sidecar-injector`' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -s r -l revision -d 'Revision of the control plane to inject for [default: that of the values]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -l istio-namespace -d 'Namespace of the control plane' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -l native-sidecar -d 'Whether to inject native sidecars: init containers that go on running' -r -f -a "auto\t'If the control plane does: by its setting, or else if all nodes have Kubernetes 1.33 or later'
true\t'Always'
false\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -l in-place -d 'Write each file back to where it was read; all of them or none'
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -l diff -d 'Print what would change, and change nothing'
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -l explain -d 'Print each addition and where it comes from, instead of the manifests'
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -l offline -d 'Ask no cluster; what files do not give is Istio\'s default'
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand uninject" -s f -l filename -d 'Files and folders to read, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand uninject" -s o -l output -d 'File to write to instead of standard output' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand uninject" -l pod-template -d 'Where the pod template of another kind is, as KIND=FIELD or KIND.GROUP=FIELD (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand uninject" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand uninject" -l in-place -d 'Write each file back to where it was read; all of them or none'
complete -c meshctl -n "__fish_meshctl_using_subcommand uninject" -l diff -d 'Print what would change, and change nothing'
complete -c meshctl -n "__fish_meshctl_using_subcommand uninject" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand uninject" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand uninject" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand uninject" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand completion" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand completion" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand completion" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand completion" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand completion" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand version" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
short\t'Numbers only'
json\t'One JSON document'
yaml\t'The same document as YAML'"
complete -c meshctl -n "__fish_meshctl_using_subcommand version" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand version" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand version" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand version" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand version" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand version" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand version" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand version" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand version" -l client -d 'Only the program\'s own version; the default'
complete -c meshctl -n "__fish_meshctl_using_subcommand version" -l remote -l cluster -d 'Ask the cluster for its control planes and proxies too'
complete -c meshctl -n "__fish_meshctl_using_subcommand version" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand version" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand version" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand version" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand util; and not __fish_seen_subcommand_from man-pages markdown-help" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand util; and not __fish_seen_subcommand_from man-pages markdown-help" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand util; and not __fish_seen_subcommand_from man-pages markdown-help" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand util; and not __fish_seen_subcommand_from man-pages markdown-help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand util; and not __fish_seen_subcommand_from man-pages markdown-help" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand util; and not __fish_seen_subcommand_from man-pages markdown-help" -f -a "man-pages" -d 'Write a manual page for each command'
complete -c meshctl -n "__fish_meshctl_using_subcommand util; and not __fish_seen_subcommand_from man-pages markdown-help" -f -a "markdown-help" -d 'Print the reference of all commands as Markdown'
complete -c meshctl -n "__fish_meshctl_using_subcommand util; and __fish_seen_subcommand_from man-pages" -l dir -d 'Folder to write to; made if it is not there' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand util; and __fish_seen_subcommand_from man-pages" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand util; and __fish_seen_subcommand_from man-pages" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand util; and __fish_seen_subcommand_from man-pages" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand util; and __fish_seen_subcommand_from man-pages" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand util; and __fish_seen_subcommand_from man-pages" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand util; and __fish_seen_subcommand_from markdown-help" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand util; and __fish_seen_subcommand_from markdown-help" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand util; and __fish_seen_subcommand_from markdown-help" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand util; and __fish_seen_subcommand_from markdown-help" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand util; and __fish_seen_subcommand_from markdown-help" -s V -l version -d 'Print version'
