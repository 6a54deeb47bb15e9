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
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "manifest" -d 'Show and compare the objects of a control plane'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "profile" -d 'List, show and compare the profiles that control planes build on'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "install" -d 'Install a control plane, or change the one that is installed'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "upgrade" -d 'Change the control plane that is installed'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "verify" -d 'Compare the cluster with what was installed'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "rollback" -d 'Install again what was installed before'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "uninstall" -d 'Remove exactly what was installed, and say what stays'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "tag" -d 'Give revisions names that namespaces can be labelled with'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "inject" -d 'Add sidecars to workloads'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "uninject" -d 'Take injected sidecars out of workloads'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "check-inject" -d 'Say whether pods would be injected, and why or why not'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "injector" -d 'Run an injector of sidecars'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "operator" -d 'Let an operator keep control planes as MeshControlPlane objects describe them'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "describe" -d 'Show what applies to a pod, a service or a host, and in which order'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "des" -d 'Show what applies to a pod, a service or a host, and in which order'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "proxy-config" -d 'Show what proxies hold: listeners, routes, clusters, endpoints, certificates'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "pc" -d 'Show what proxies hold: listeners, routes, clusters, endpoints, certificates'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "proxy-status" -d 'Show whether proxies have the configuration that their control plane has for them'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "ps" -d 'Show whether proxies have the configuration that their control plane has for them'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "trace" -d 'Follow a request through a proxy\'s configuration'
complete -c meshctl -n "__fish_meshctl_needs_command" -f -a "canary" -d 'Move traffic to a new version of a service, in steps that metrics judge'
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
json\t'One JSON document'
yaml\t'The same document as YAML'"
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
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and not __fish_seen_subcommand_from generate diff" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and not __fish_seen_subcommand_from generate diff" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and not __fish_seen_subcommand_from generate diff" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and not __fish_seen_subcommand_from generate diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and not __fish_seen_subcommand_from generate diff" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and not __fish_seen_subcommand_from generate diff" -f -a "generate" -d 'Print the objects of a control plane'
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and not __fish_seen_subcommand_from generate diff" -f -a "diff" -d 'Compare the objects of two control planes'
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and __fish_seen_subcommand_from generate" -l profile -d 'Profile to build on [default: default]' -r -f -a "ambient\t''
default\t''
demo\t''
empty\t''
minimal\t''
openshift\t''
openshift-ambient\t''
preview\t''
remote\t''
stable\t''"
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and __fish_seen_subcommand_from generate" -s f -l filename -d 'File with a specification; later ones win (can be repeated, `-` for standard input)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and __fish_seen_subcommand_from generate" -s s -l set -d 'Field of the specification, such as values.pilot.replicaCount=2 (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and __fish_seen_subcommand_from generate" -l hub -d 'Registry and folder of the images [default: docker.io/istio]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and __fish_seen_subcommand_from generate" -l tag -d 'Tag of the images, and so the version of Istio [default: the newest known release]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and __fish_seen_subcommand_from generate" -s r -l revision -d 'Revision, which lets several control planes live side by side [default: the one without a name]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and __fish_seen_subcommand_from generate" -l istio-namespace -d 'Namespace of the control plane [default: istio-system]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and __fish_seen_subcommand_from generate" -s c -l component -d 'Print only this component (can be repeated)' -r -f -a "Base\t''
Cni\t''
Pilot\t''
Ztunnel\t''
IngressGateways\t''
EgressGateways\t''"
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and __fish_seen_subcommand_from generate" -s o -l output -d 'Form of the output' -r -f -a "yaml\t'One document for each object'
json\t'A List of all objects'"
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and __fish_seen_subcommand_from generate" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and __fish_seen_subcommand_from generate" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and __fish_seen_subcommand_from generate" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and __fish_seen_subcommand_from generate" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and __fish_seen_subcommand_from generate" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and __fish_seen_subcommand_from diff" -l profile -d 'Profile to build on [default: default]' -r -f -a "ambient\t''
default\t''
demo\t''
empty\t''
minimal\t''
openshift\t''
openshift-ambient\t''
preview\t''
remote\t''
stable\t''"
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and __fish_seen_subcommand_from diff" -s f -l filename -d 'File with a specification; later ones win (can be repeated, `-` for standard input)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and __fish_seen_subcommand_from diff" -s s -l set -d 'Field of the specification, such as values.pilot.replicaCount=2 (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and __fish_seen_subcommand_from diff" -l hub -d 'Registry and folder of the images [default: docker.io/istio]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and __fish_seen_subcommand_from diff" -l tag -d 'Tag of the images, and so the version of Istio [default: the newest known release]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and __fish_seen_subcommand_from diff" -s r -l revision -d 'Revision, which lets several control planes live side by side [default: the one without a name]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and __fish_seen_subcommand_from diff" -l istio-namespace -d 'Namespace of the control plane [default: istio-system]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and __fish_seen_subcommand_from diff" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and __fish_seen_subcommand_from diff" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and __fish_seen_subcommand_from diff" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and __fish_seen_subcommand_from diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand manifest; and __fish_seen_subcommand_from diff" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand profile; and not __fish_seen_subcommand_from list dump diff" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand profile; and not __fish_seen_subcommand_from list dump diff" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand profile; and not __fish_seen_subcommand_from list dump diff" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand profile; and not __fish_seen_subcommand_from list dump diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand profile; and not __fish_seen_subcommand_from list dump diff" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand profile; and not __fish_seen_subcommand_from list dump diff" -f -a "list" -d 'List the profiles'
complete -c meshctl -n "__fish_meshctl_using_subcommand profile; and not __fish_seen_subcommand_from list dump diff" -f -a "dump" -d 'Show all settings of a profile, or of what builds on one'
complete -c meshctl -n "__fish_meshctl_using_subcommand profile; and not __fish_seen_subcommand_from list dump diff" -f -a "diff" -d 'Show the settings in which two profiles differ'
complete -c meshctl -n "__fish_meshctl_using_subcommand profile; and __fish_seen_subcommand_from list" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'One JSON document'
yaml\t'The same document as YAML'"
complete -c meshctl -n "__fish_meshctl_using_subcommand profile; and __fish_seen_subcommand_from list" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand profile; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand profile; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand profile; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand profile; and __fish_seen_subcommand_from list" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand profile; and __fish_seen_subcommand_from dump" -l profile -d 'Profile to build on [default: default]' -r -f -a "ambient\t''
default\t''
demo\t''
empty\t''
minimal\t''
openshift\t''
openshift-ambient\t''
preview\t''
remote\t''
stable\t''"
complete -c meshctl -n "__fish_meshctl_using_subcommand profile; and __fish_seen_subcommand_from dump" -s f -l filename -d 'File with a specification; later ones win (can be repeated, `-` for standard input)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand profile; and __fish_seen_subcommand_from dump" -s s -l set -d 'Field of the specification, such as values.pilot.replicaCount=2 (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand profile; and __fish_seen_subcommand_from dump" -l hub -d 'Registry and folder of the images [default: docker.io/istio]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand profile; and __fish_seen_subcommand_from dump" -l tag -d 'Tag of the images, and so the version of Istio [default: the newest known release]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand profile; and __fish_seen_subcommand_from dump" -s r -l revision -d 'Revision, which lets several control planes live side by side [default: the one without a name]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand profile; and __fish_seen_subcommand_from dump" -l istio-namespace -d 'Namespace of the control plane [default: istio-system]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand profile; and __fish_seen_subcommand_from dump" -s o -l output -d 'Form of the output' -r -f -a "yaml\t'A MeshControlPlane in YAML'
json\t'The same in JSON'"
complete -c meshctl -n "__fish_meshctl_using_subcommand profile; and __fish_seen_subcommand_from dump" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand profile; and __fish_seen_subcommand_from dump" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand profile; and __fish_seen_subcommand_from dump" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand profile; and __fish_seen_subcommand_from dump" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand profile; and __fish_seen_subcommand_from dump" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand profile; and __fish_seen_subcommand_from diff" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand profile; and __fish_seen_subcommand_from diff" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand profile; and __fish_seen_subcommand_from diff" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand profile; and __fish_seen_subcommand_from diff" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand profile; and __fish_seen_subcommand_from diff" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -l profile -d 'Profile to build on [default: default]' -r -f -a "ambient\t''
default\t''
demo\t''
empty\t''
minimal\t''
openshift\t''
openshift-ambient\t''
preview\t''
remote\t''
stable\t''"
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -s f -l filename -d 'File with a specification; later ones win (can be repeated, `-` for standard input)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -s s -l set -d 'Field of the specification, such as values.pilot.replicaCount=2 (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -l hub -d 'Registry and folder of the images [default: docker.io/istio]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -l tag -d 'Tag of the images, and so the version of Istio [default: the newest known release]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -s r -l revision -d 'Revision, which lets several control planes live side by side [default: the one without a name]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -l istio-namespace -d 'Namespace of the control plane [default: istio-system]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -l manifest -d 'Install the objects of this file or folder instead of a profile\'s, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -l wait-lock -d 'Wait for somebody else who works on the mesh, for at most this time [default: do not wait]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'One JSON document a line: plan, events, result'"
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -l wait -d 'Whether to wait until everything runs, and to say why it does not [default: true]' -r -f -a "true\t''
false\t''"
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -l skip-precheck -d 'Do not check first whether the cluster can take it'
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -l skip-version-check -d 'Go down, or up by more than one minor version'
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -l dry-run -d 'Show what would happen, and change nothing'
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -s y -l yes -d 'Do not ask before the change'
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -l diff -d 'Show objects as they are and as they will be'
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -l adopt -d 'Take over objects that somebody else has made, such as those of istioctl or Helm'
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -l force-conflicts -d 'Take fields that somebody else has changed'
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand install" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -l profile -d 'Profile to build on [default: default]' -r -f -a "ambient\t''
default\t''
demo\t''
empty\t''
minimal\t''
openshift\t''
openshift-ambient\t''
preview\t''
remote\t''
stable\t''"
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -s f -l filename -d 'File with a specification; later ones win (can be repeated, `-` for standard input)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -s s -l set -d 'Field of the specification, such as values.pilot.replicaCount=2 (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -l hub -d 'Registry and folder of the images [default: docker.io/istio]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -l tag -d 'Tag of the images, and so the version of Istio [default: the newest known release]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -s r -l revision -d 'Revision, which lets several control planes live side by side [default: the one without a name]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -l istio-namespace -d 'Namespace of the control plane [default: istio-system]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -l manifest -d 'Install the objects of this file or folder instead of a profile\'s, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -l wait-lock -d 'Wait for somebody else who works on the mesh, for at most this time [default: do not wait]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'One JSON document a line: plan, events, result'"
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -l wait -d 'Whether to wait until everything runs, and to say why it does not [default: true]' -r -f -a "true\t''
false\t''"
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -l skip-precheck -d 'Do not check first whether the cluster can take it'
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -l skip-version-check -d 'Go down, or up by more than one minor version'
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -l dry-run -d 'Show what would happen, and change nothing'
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -s y -l yes -d 'Do not ask before the change'
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -l diff -d 'Show objects as they are and as they will be'
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -l adopt -d 'Take over objects that somebody else has made, such as those of istioctl or Helm'
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -l force-conflicts -d 'Take fields that somebody else has changed'
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -l reset-values -d 'Forget profile, files and --set of the installation before, and take only those of now'
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand upgrade" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand verify" -s r -l revision -d 'Revision to compare [default: all of them]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand verify" -l istio-namespace -d 'Namespace of the control plane' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand verify" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'One JSON document'
yaml\t'The same document as YAML'"
complete -c meshctl -n "__fish_meshctl_using_subcommand verify" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand verify" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand verify" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand verify" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand verify" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand verify" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand verify" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand verify" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand verify" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand verify" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand verify" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand verify" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand rollback" -s r -l revision -d 'Revision to go back with [default: the one without a name]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand rollback" -l istio-namespace -d 'Namespace of the control plane' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand rollback" -l wait-lock -d 'Wait for somebody else who works on the mesh, for at most this time [default: do not wait]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand rollback" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'One JSON document a line: plan, events, result'"
complete -c meshctl -n "__fish_meshctl_using_subcommand rollback" -l wait -d 'Whether to wait until everything runs, and to say why it does not [default: true]' -r -f -a "true\t''
false\t''"
complete -c meshctl -n "__fish_meshctl_using_subcommand rollback" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand rollback" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand rollback" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand rollback" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand rollback" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand rollback" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand rollback" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand rollback" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand rollback" -l list -d 'List the installations that are remembered, and change nothing'
complete -c meshctl -n "__fish_meshctl_using_subcommand rollback" -l dry-run -d 'Show what would happen, and change nothing'
complete -c meshctl -n "__fish_meshctl_using_subcommand rollback" -s y -l yes -d 'Do not ask before the change'
complete -c meshctl -n "__fish_meshctl_using_subcommand rollback" -l diff -d 'Show objects as they are and as they will be'
complete -c meshctl -n "__fish_meshctl_using_subcommand rollback" -l adopt -d 'Take over objects that somebody else has made, such as those of istioctl or Helm'
complete -c meshctl -n "__fish_meshctl_using_subcommand rollback" -l force-conflicts -d 'Take fields that somebody else has changed'
complete -c meshctl -n "__fish_meshctl_using_subcommand rollback" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand rollback" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand rollback" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand rollback" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand uninstall" -s r -l revision -d 'Revision to remove [default: the one without a name]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand uninstall" -l istio-namespace -d 'Namespace of the control plane' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand uninstall" -l wait-lock -d 'Wait for somebody else who works on the mesh, for at most this time [default: do not wait]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand uninstall" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'One JSON document a line: plan, events, result'"
complete -c meshctl -n "__fish_meshctl_using_subcommand uninstall" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand uninstall" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand uninstall" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand uninstall" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand uninstall" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand uninstall" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand uninstall" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand uninstall" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand uninstall" -l purge -d 'Remove all revisions, the definitions with all objects of their kinds, and what istiod has made'
complete -c meshctl -n "__fish_meshctl_using_subcommand uninstall" -l dry-run -d 'Show what would happen, and change nothing'
complete -c meshctl -n "__fish_meshctl_using_subcommand uninstall" -s y -l yes -d 'Do not ask before the change'
complete -c meshctl -n "__fish_meshctl_using_subcommand uninstall" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand uninstall" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand uninstall" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand uninstall" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and not __fish_seen_subcommand_from set list remove" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and not __fish_seen_subcommand_from set list remove" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and not __fish_seen_subcommand_from set list remove" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and not __fish_seen_subcommand_from set list remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and not __fish_seen_subcommand_from set list remove" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and not __fish_seen_subcommand_from set list remove" -f -a "set" -d 'Make a tag, or move it to another revision'
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and not __fish_seen_subcommand_from set list remove" -f -a "list" -d 'List all tags, with the namespaces that use them'
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and not __fish_seen_subcommand_from set list remove" -f -a "remove" -d 'Remove a tag'
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from set" -s r -l revision -d 'Revision that it leads to' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from set" -l istio-namespace -d 'Namespace of the control plane' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from set" -l wait-lock -d 'Wait for somebody else who works on the mesh, for at most this time [default: do not wait]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from set" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'One JSON document a line: plan, events, result'"
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from set" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from set" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from set" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from set" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from set" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from set" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from set" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from set" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from set" -l overwrite -d 'Move the tag if it leads to another revision, and set it even if another mesh has one of the name'
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from set" -l dry-run -d 'Show what would happen, and change nothing'
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from set" -s y -l yes -d 'Do not ask before the change'
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from set" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from set" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from set" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from set" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from list" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'One JSON document'
yaml\t'The same document as YAML'"
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from list" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from list" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from list" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from list" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from list" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from list" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from list" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from list" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from list" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from list" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from list" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from list" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from remove" -l istio-namespace -d 'Namespace of the control plane' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from remove" -l wait-lock -d 'Wait for somebody else who works on the mesh, for at most this time [default: do not wait]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from remove" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'One JSON document a line: plan, events, result'"
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from remove" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from remove" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from remove" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from remove" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from remove" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from remove" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from remove" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from remove" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from remove" -l dry-run -d 'Show what would happen, and change nothing'
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from remove" -s y -l yes -d 'Do not ask before the change'
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from remove" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from remove" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand tag; and __fish_seen_subcommand_from remove" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -s f -l filename -d 'Files and folders to read, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -s o -l output -d 'File to write to instead of standard output' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -l pod-template -d 'Where the pod template of another kind is, as KIND=FIELD or KIND.GROUP=FIELD (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -s n -l namespace -d 'Namespace of objects that name none' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -l mesh-config -d 'Mesh-wide configuration (MeshConfig): the key `mesh` of the ConfigMap `istio`' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -l values -d 'Values of the installation: the key `values` of the ConfigMap `istio-sidecar-injector`' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -s r -l revision -d 'Revision of the control plane to inject for, or a tag of one [default: that of the values]' -r
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
complete -c meshctl -n "__fish_meshctl_using_subcommand inject" -l from-webhook -d 'Ask the cluster\'s own injector, by the webhook that the API server calls'
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
complete -c meshctl -n "__fish_meshctl_using_subcommand check-inject" -s l -l selector -d 'Labels of a pod that need not exist, such as `app=web,version=v1`' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand check-inject" -s f -l filename -d 'Workloads of files and folders, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand check-inject" -s n -l namespace -d 'Namespace of what is named without one [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand check-inject" -s o -l output -d 'Form of the output' -r -f -a "table\t'For people'
json\t'One JSON document'
yaml\t'The same as YAML'"
complete -c meshctl -n "__fish_meshctl_using_subcommand check-inject" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand check-inject" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand check-inject" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand check-inject" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand check-inject" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand check-inject" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand check-inject" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand check-inject" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand check-inject" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand check-inject" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand check-inject" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand check-inject" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand injector; and not __fish_seen_subcommand_from serve" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand injector; and not __fish_seen_subcommand_from serve" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand injector; and not __fish_seen_subcommand_from serve" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand injector; and not __fish_seen_subcommand_from serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand injector; and not __fish_seen_subcommand_from serve" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand injector; and not __fish_seen_subcommand_from serve" -f -a "serve" -d 'Serve the webhook that injects sidecars'
complete -c meshctl -n "__fish_meshctl_using_subcommand injector; and __fish_seen_subcommand_from serve" -l listen -d 'Address and port to listen on; port 0 is any that is free, and is told on standard error' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand injector; and __fish_seen_subcommand_from serve" -l tls-cert -d 'Certificate of the server with its chain, in PEM' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand injector; and __fish_seen_subcommand_from serve" -l tls-key -d 'Private key of the certificate, in PEM' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand injector; and __fish_seen_subcommand_from serve" -l refresh -d 'Time between two looks for changes of the settings and the certificate' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand injector; and __fish_seen_subcommand_from serve" -l mesh-config -d 'Mesh-wide configuration (MeshConfig): the key `mesh` of the ConfigMap `istio`' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand injector; and __fish_seen_subcommand_from serve" -l values -d 'Values of the installation: the key `values` of the ConfigMap `istio-sidecar-injector`' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand injector; and __fish_seen_subcommand_from serve" -s r -l revision -d 'Revision of the control plane to inject for, or a tag of one [default: that of the values]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand injector; and __fish_seen_subcommand_from serve" -l istio-namespace -d 'Namespace of the control plane' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand injector; and __fish_seen_subcommand_from serve" -l native-sidecar -d 'Whether to inject native sidecars: init containers that go on running' -r -f -a "auto\t'If the control plane does: by its setting, or else if all nodes have Kubernetes 1.33 or later'
true\t'Always'
false\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand injector; and __fish_seen_subcommand_from serve" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand injector; and __fish_seen_subcommand_from serve" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand injector; and __fish_seen_subcommand_from serve" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand injector; and __fish_seen_subcommand_from serve" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand injector; and __fish_seen_subcommand_from serve" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand injector; and __fish_seen_subcommand_from serve" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand injector; and __fish_seen_subcommand_from serve" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand injector; and __fish_seen_subcommand_from serve" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand injector; and __fish_seen_subcommand_from serve" -l offline -d 'Ask no cluster; what files do not give is Istio\'s default'
complete -c meshctl -n "__fish_meshctl_using_subcommand injector; and __fish_seen_subcommand_from serve" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand injector; and __fish_seen_subcommand_from serve" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand injector; and __fish_seen_subcommand_from serve" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand injector; and __fish_seen_subcommand_from serve" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and not __fish_seen_subcommand_from init dump remove run" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and not __fish_seen_subcommand_from init dump remove run" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and not __fish_seen_subcommand_from init dump remove run" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and not __fish_seen_subcommand_from init dump remove run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and not __fish_seen_subcommand_from init dump remove run" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and not __fish_seen_subcommand_from init dump remove run" -f -a "init" -d 'Install the operator, or change the one that is installed'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and not __fish_seen_subcommand_from init dump remove run" -f -a "dump" -d 'Print the objects that `operator init` installs'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and not __fish_seen_subcommand_from init dump remove run" -f -a "remove" -d 'Remove the operator'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and not __fish_seen_subcommand_from init dump remove run" -f -a "run" -d 'Look after control planes: what runs in the operator\'s pod'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from init" -l watched-namespaces -d 'Namespaces whose control planes it looks after, and the only ones that it touches' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from init" -l operator-namespace -d 'Namespace of the operator, which must not be one of those' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from init" -s r -l revision -d 'Revisions of control planes that it may install; `default` is the one without a name' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from init" -l hub -d 'Registry and folder of its image' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from init" -l tag -d 'Tag of its image [default: the version of this program]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from init" -l image -d 'Its image, as a whole' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from init" -l wait-lock -d 'Wait for somebody else who works on the mesh, for at most this time [default: do not wait]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from init" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'One JSON document a line: plan, events, result'"
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from init" -l wait -d 'Whether to wait until everything runs, and to say why it does not [default: true]' -r -f -a "true\t''
false\t''"
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from init" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from init" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from init" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from init" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from init" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from init" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from init" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from init" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from init" -l dry-run -d 'Show what would happen, and change nothing'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from init" -s y -l yes -d 'Do not ask before the change'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from init" -l diff -d 'Show objects as they are and as they will be'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from init" -l adopt -d 'Take over objects that somebody else has made, such as those of istioctl or Helm'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from init" -l force-conflicts -d 'Take fields that somebody else has changed'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from init" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from init" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from init" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from dump" -l watched-namespaces -d 'Namespaces whose control planes it looks after, and the only ones that it touches' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from dump" -l operator-namespace -d 'Namespace of the operator, which must not be one of those' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from dump" -s r -l revision -d 'Revisions of control planes that it may install; `default` is the one without a name' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from dump" -l hub -d 'Registry and folder of its image' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from dump" -l tag -d 'Tag of its image [default: the version of this program]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from dump" -l image -d 'Its image, as a whole' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from dump" -s o -l output -d 'Form of the output' -r -f -a "yaml\t'One document for each object'
json\t'A List of all objects'"
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from dump" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from dump" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from dump" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from dump" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from dump" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from remove" -l operator-namespace -d 'Namespace of the operator' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from remove" -l wait-lock -d 'Wait for somebody else who works on the mesh, for at most this time [default: do not wait]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from remove" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'One JSON document a line: plan, events, result'"
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from remove" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from remove" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from remove" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from remove" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from remove" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from remove" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from remove" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from remove" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from remove" -l force -d 'Remove the operator all the same; MeshControlPlanes, their definition and control planes stay as they are'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from remove" -l purge -d 'Delete all MeshControlPlanes first, and wait until the operator has removed what they describe'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from remove" -l dry-run -d 'Show what would happen, and change nothing'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from remove" -s y -l yes -d 'Do not ask before the change'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from remove" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from remove" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from remove" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from remove" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from run" -l watched-namespaces -d 'Namespaces whose control planes it looks after, and the only ones that it touches' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from run" -l operator-namespace -d 'Namespace of the operator, which must not be one of those' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from run" -l listen -d 'Address and port to listen on; port 0 is any that is free, and is told on standard error' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from run" -l resync -d 'Time after which everything is looked at, even if nothing seems to have changed' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from run" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from run" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from run" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from run" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from run" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from run" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from run" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from run" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from run" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from run" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand operator; and __fish_seen_subcommand_from run" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and not __fish_seen_subcommand_from pod po service svc host" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and not __fish_seen_subcommand_from pod po service svc host" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and not __fish_seen_subcommand_from pod po service svc host" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and not __fish_seen_subcommand_from pod po service svc host" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and not __fish_seen_subcommand_from pod po service svc host" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and not __fish_seen_subcommand_from pod po service svc host" -f -a "pod" -d 'A pod, or the pods of a workload: POD, deploy/NAME, sts/NAME, ds/NAME, rs/NAME, job/NAME'
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and not __fish_seen_subcommand_from pod po service svc host" -f -a "po" -d 'A pod, or the pods of a workload: POD, deploy/NAME, sts/NAME, ds/NAME, rs/NAME, job/NAME'
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and not __fish_seen_subcommand_from pod po service svc host" -f -a "service" -d 'A Service, or the service that a ServiceEntry declares'
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and not __fish_seen_subcommand_from pod po service svc host" -f -a "svc" -d 'A Service, or the service that a ServiceEntry declares'
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and not __fish_seen_subcommand_from pod po service svc host" -f -a "host" -d 'A host name'
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from pod" -s f -l file -d 'Read files or folders instead of the cluster, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from pod" -s n -l namespace -d 'Namespace of the name; for a host, of its clients [default: the context\'s, or default]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from pod" -l istio-namespace -d 'Namespace of the control plane' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from pod" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'One JSON document'
yaml\t'The same as YAML'
mermaid\t'A picture in the language of Mermaid'
dot\t'A picture in the language of Graphviz'"
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from pod" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from pod" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from pod" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from pod" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from pod" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from pod" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from pod" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from pod" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from pod" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from pod" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from pod" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from pod" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from po" -s f -l file -d 'Read files or folders instead of the cluster, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from po" -s n -l namespace -d 'Namespace of the name; for a host, of its clients [default: the context\'s, or default]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from po" -l istio-namespace -d 'Namespace of the control plane' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from po" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'One JSON document'
yaml\t'The same as YAML'
mermaid\t'A picture in the language of Mermaid'
dot\t'A picture in the language of Graphviz'"
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from po" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from po" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from po" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from po" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from po" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from po" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from po" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from po" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from po" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from po" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from po" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from po" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from service" -s f -l file -d 'Read files or folders instead of the cluster, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from service" -s n -l namespace -d 'Namespace of the name; for a host, of its clients [default: the context\'s, or default]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from service" -l istio-namespace -d 'Namespace of the control plane' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from service" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'One JSON document'
yaml\t'The same as YAML'
mermaid\t'A picture in the language of Mermaid'
dot\t'A picture in the language of Graphviz'"
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from service" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from service" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from service" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from service" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from service" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from service" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from service" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from service" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from service" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from service" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from service" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from service" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from svc" -s f -l file -d 'Read files or folders instead of the cluster, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from svc" -s n -l namespace -d 'Namespace of the name; for a host, of its clients [default: the context\'s, or default]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from svc" -l istio-namespace -d 'Namespace of the control plane' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from svc" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'One JSON document'
yaml\t'The same as YAML'
mermaid\t'A picture in the language of Mermaid'
dot\t'A picture in the language of Graphviz'"
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from svc" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from svc" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from svc" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from svc" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from svc" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from svc" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from svc" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from svc" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from svc" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from svc" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from svc" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from svc" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from host" -s f -l file -d 'Read files or folders instead of the cluster, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from host" -s n -l namespace -d 'Namespace of the name; for a host, of its clients [default: the context\'s, or default]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from host" -l istio-namespace -d 'Namespace of the control plane' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from host" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'One JSON document'
yaml\t'The same as YAML'
mermaid\t'A picture in the language of Mermaid'
dot\t'A picture in the language of Graphviz'"
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from host" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from host" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from host" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from host" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from host" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from host" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from host" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from host" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from host" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from host" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from host" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand describe; and __fish_seen_subcommand_from host" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and not __fish_seen_subcommand_from pod po service svc host" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and not __fish_seen_subcommand_from pod po service svc host" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and not __fish_seen_subcommand_from pod po service svc host" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and not __fish_seen_subcommand_from pod po service svc host" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and not __fish_seen_subcommand_from pod po service svc host" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and not __fish_seen_subcommand_from pod po service svc host" -f -a "pod" -d 'A pod, or the pods of a workload: POD, deploy/NAME, sts/NAME, ds/NAME, rs/NAME, job/NAME'
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and not __fish_seen_subcommand_from pod po service svc host" -f -a "po" -d 'A pod, or the pods of a workload: POD, deploy/NAME, sts/NAME, ds/NAME, rs/NAME, job/NAME'
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and not __fish_seen_subcommand_from pod po service svc host" -f -a "service" -d 'A Service, or the service that a ServiceEntry declares'
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and not __fish_seen_subcommand_from pod po service svc host" -f -a "svc" -d 'A Service, or the service that a ServiceEntry declares'
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and not __fish_seen_subcommand_from pod po service svc host" -f -a "host" -d 'A host name'
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from pod" -s f -l file -d 'Read files or folders instead of the cluster, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from pod" -s n -l namespace -d 'Namespace of the name; for a host, of its clients [default: the context\'s, or default]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from pod" -l istio-namespace -d 'Namespace of the control plane' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from pod" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'One JSON document'
yaml\t'The same as YAML'
mermaid\t'A picture in the language of Mermaid'
dot\t'A picture in the language of Graphviz'"
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from pod" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from pod" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from pod" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from pod" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from pod" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from pod" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from pod" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from pod" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from pod" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from pod" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from pod" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from pod" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from po" -s f -l file -d 'Read files or folders instead of the cluster, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from po" -s n -l namespace -d 'Namespace of the name; for a host, of its clients [default: the context\'s, or default]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from po" -l istio-namespace -d 'Namespace of the control plane' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from po" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'One JSON document'
yaml\t'The same as YAML'
mermaid\t'A picture in the language of Mermaid'
dot\t'A picture in the language of Graphviz'"
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from po" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from po" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from po" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from po" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from po" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from po" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from po" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from po" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from po" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from po" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from po" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from po" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from service" -s f -l file -d 'Read files or folders instead of the cluster, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from service" -s n -l namespace -d 'Namespace of the name; for a host, of its clients [default: the context\'s, or default]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from service" -l istio-namespace -d 'Namespace of the control plane' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from service" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'One JSON document'
yaml\t'The same as YAML'
mermaid\t'A picture in the language of Mermaid'
dot\t'A picture in the language of Graphviz'"
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from service" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from service" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from service" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from service" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from service" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from service" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from service" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from service" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from service" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from service" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from service" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from service" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from svc" -s f -l file -d 'Read files or folders instead of the cluster, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from svc" -s n -l namespace -d 'Namespace of the name; for a host, of its clients [default: the context\'s, or default]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from svc" -l istio-namespace -d 'Namespace of the control plane' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from svc" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'One JSON document'
yaml\t'The same as YAML'
mermaid\t'A picture in the language of Mermaid'
dot\t'A picture in the language of Graphviz'"
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from svc" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from svc" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from svc" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from svc" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from svc" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from svc" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from svc" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from svc" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from svc" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from svc" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from svc" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from svc" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from host" -s f -l file -d 'Read files or folders instead of the cluster, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from host" -s n -l namespace -d 'Namespace of the name; for a host, of its clients [default: the context\'s, or default]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from host" -l istio-namespace -d 'Namespace of the control plane' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from host" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'One JSON document'
yaml\t'The same as YAML'
mermaid\t'A picture in the language of Mermaid'
dot\t'A picture in the language of Graphviz'"
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from host" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from host" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from host" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from host" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from host" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from host" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from host" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from host" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from host" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from host" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from host" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand des; and __fish_seen_subcommand_from host" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -f -a "bootstrap" -d 'Who the proxy is: node, versions'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -f -a "clusters" -d 'Clusters: the services that the proxy can send to'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -f -a "cluster" -d 'Clusters: the services that the proxy can send to'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -f -a "listeners" -d 'Listeners and their filter chains: what the proxy accepts, and where that goes'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -f -a "listener" -d 'Listeners and their filter chains: what the proxy accepts, and where that goes'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -f -a "routes" -d 'Routes: which request goes to which cluster'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -f -a "route" -d 'Routes: which request goes to which cluster'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -f -a "endpoints" -d 'Endpoints: the addresses behind the clusters, and their health'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -f -a "endpoint" -d 'Endpoints: the addresses behind the clusters, and their health'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -f -a "ep" -d 'Endpoints: the addresses behind the clusters, and their health'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -f -a "secrets" -d 'Certificates: identity, issuer, and how long they are valid'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -f -a "secret" -d 'Certificates: identity, issuer, and how long they are valid'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -f -a "ecds" -d 'Extension configurations that are discovered on their own'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -f -a "all" -d 'All of these'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -f -a "log" -d 'Read or set the levels of the proxy\'s log'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from bootstrap" -s f -l file -d 'Read a saved answer of the admin interface instead, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from bootstrap" -s o -l output -d 'Form of the output' -r -f -a "table\t'Rows and columns'
wide\t'More columns'
json\t'Envoy\'s own JSON, unknown fields and all'
yaml\t'The same as YAML'
name\t'Names only'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from bootstrap" -s w -l watch -d 'Show it again whenever it changes, looking every 2 seconds or as often as is said' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from bootstrap" -s l -l selector -d 'Pods with these labels, as for `kubectl -l`' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from bootstrap" -s n -l namespace -d 'Namespace of names that are written without one [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from bootstrap" -l proxy-admin-port -d 'Port of the proxy\'s admin interface [default: the pod\'s own setting, 15000]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from bootstrap" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from bootstrap" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from bootstrap" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from bootstrap" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from bootstrap" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from bootstrap" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from bootstrap" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from bootstrap" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from bootstrap" -l diff -d 'Show what differs between two proxies or files; with --watch, from one look to the next'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from bootstrap" -s A -l all-namespaces -d 'The proxies of all namespaces; together with `--selector` those with the labels'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from bootstrap" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from bootstrap" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from bootstrap" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from bootstrap" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from clusters" -l fqdn -d 'Only clusters with this in their name' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from clusters" -l port -d 'Only clusters for this port of a service' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from clusters" -l subset -d 'Only clusters for a subset with this in its name' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from clusters" -l direction -d 'Only clusters for one direction: inbound or outbound' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from clusters" -s f -l file -d 'Read a saved answer of the admin interface instead, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from clusters" -s o -l output -d 'Form of the output' -r -f -a "table\t'Rows and columns'
wide\t'More columns'
json\t'Envoy\'s own JSON, unknown fields and all'
yaml\t'The same as YAML'
name\t'Names only'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from clusters" -s w -l watch -d 'Show it again whenever it changes, looking every 2 seconds or as often as is said' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from clusters" -s l -l selector -d 'Pods with these labels, as for `kubectl -l`' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from clusters" -s n -l namespace -d 'Namespace of names that are written without one [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from clusters" -l proxy-admin-port -d 'Port of the proxy\'s admin interface [default: the pod\'s own setting, 15000]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from clusters" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from clusters" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from clusters" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from clusters" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from clusters" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from clusters" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from clusters" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from clusters" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from clusters" -l diff -d 'Show what differs between two proxies or files; with --watch, from one look to the next'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from clusters" -s A -l all-namespaces -d 'The proxies of all namespaces; together with `--selector` those with the labels'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from clusters" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from clusters" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from clusters" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from clusters" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from cluster" -l fqdn -d 'Only clusters with this in their name' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from cluster" -l port -d 'Only clusters for this port of a service' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from cluster" -l subset -d 'Only clusters for a subset with this in its name' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from cluster" -l direction -d 'Only clusters for one direction: inbound or outbound' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from cluster" -s f -l file -d 'Read a saved answer of the admin interface instead, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from cluster" -s o -l output -d 'Form of the output' -r -f -a "table\t'Rows and columns'
wide\t'More columns'
json\t'Envoy\'s own JSON, unknown fields and all'
yaml\t'The same as YAML'
name\t'Names only'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from cluster" -s w -l watch -d 'Show it again whenever it changes, looking every 2 seconds or as often as is said' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from cluster" -s l -l selector -d 'Pods with these labels, as for `kubectl -l`' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from cluster" -s n -l namespace -d 'Namespace of names that are written without one [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from cluster" -l proxy-admin-port -d 'Port of the proxy\'s admin interface [default: the pod\'s own setting, 15000]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from cluster" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from cluster" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from cluster" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from cluster" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from cluster" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from cluster" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from cluster" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from cluster" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from cluster" -l diff -d 'Show what differs between two proxies or files; with --watch, from one look to the next'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from cluster" -s A -l all-namespaces -d 'The proxies of all namespaces; together with `--selector` those with the labels'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from cluster" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from cluster" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from cluster" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from cluster" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listeners" -l address -d 'Only listeners on this address' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listeners" -l port -d 'Only listeners on this port' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listeners" -l type -d 'Only listeners that speak this' -r -f -a "HTTP\t'HTTP'
TCP\t'TCP'
HTTP+TCP\t'HTTP in some filter chains, TCP in others'
UNKNOWN\t'Anything else'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listeners" -s f -l file -d 'Read a saved answer of the admin interface instead, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listeners" -s o -l output -d 'Form of the output' -r -f -a "table\t'Rows and columns'
wide\t'More columns'
json\t'Envoy\'s own JSON, unknown fields and all'
yaml\t'The same as YAML'
name\t'Names only'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listeners" -s w -l watch -d 'Show it again whenever it changes, looking every 2 seconds or as often as is said' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listeners" -s l -l selector -d 'Pods with these labels, as for `kubectl -l`' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listeners" -s n -l namespace -d 'Namespace of names that are written without one [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listeners" -l proxy-admin-port -d 'Port of the proxy\'s admin interface [default: the pod\'s own setting, 15000]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listeners" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listeners" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listeners" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listeners" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listeners" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listeners" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listeners" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listeners" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listeners" -l diff -d 'Show what differs between two proxies or files; with --watch, from one look to the next'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listeners" -s A -l all-namespaces -d 'The proxies of all namespaces; together with `--selector` those with the labels'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listeners" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listeners" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listeners" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listeners" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listener" -l address -d 'Only listeners on this address' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listener" -l port -d 'Only listeners on this port' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listener" -l type -d 'Only listeners that speak this' -r -f -a "HTTP\t'HTTP'
TCP\t'TCP'
HTTP+TCP\t'HTTP in some filter chains, TCP in others'
UNKNOWN\t'Anything else'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listener" -s f -l file -d 'Read a saved answer of the admin interface instead, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listener" -s o -l output -d 'Form of the output' -r -f -a "table\t'Rows and columns'
wide\t'More columns'
json\t'Envoy\'s own JSON, unknown fields and all'
yaml\t'The same as YAML'
name\t'Names only'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listener" -s w -l watch -d 'Show it again whenever it changes, looking every 2 seconds or as often as is said' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listener" -s l -l selector -d 'Pods with these labels, as for `kubectl -l`' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listener" -s n -l namespace -d 'Namespace of names that are written without one [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listener" -l proxy-admin-port -d 'Port of the proxy\'s admin interface [default: the pod\'s own setting, 15000]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listener" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listener" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listener" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listener" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listener" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listener" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listener" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listener" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listener" -l diff -d 'Show what differs between two proxies or files; with --watch, from one look to the next'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listener" -s A -l all-namespaces -d 'The proxies of all namespaces; together with `--selector` those with the labels'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listener" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listener" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listener" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from listener" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from routes" -l name -d 'Only the route configuration of this name' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from routes" -s f -l file -d 'Read a saved answer of the admin interface instead, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from routes" -s o -l output -d 'Form of the output' -r -f -a "table\t'Rows and columns'
wide\t'More columns'
json\t'Envoy\'s own JSON, unknown fields and all'
yaml\t'The same as YAML'
name\t'Names only'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from routes" -s w -l watch -d 'Show it again whenever it changes, looking every 2 seconds or as often as is said' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from routes" -s l -l selector -d 'Pods with these labels, as for `kubectl -l`' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from routes" -s n -l namespace -d 'Namespace of names that are written without one [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from routes" -l proxy-admin-port -d 'Port of the proxy\'s admin interface [default: the pod\'s own setting, 15000]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from routes" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from routes" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from routes" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from routes" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from routes" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from routes" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from routes" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from routes" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from routes" -l diff -d 'Show what differs between two proxies or files; with --watch, from one look to the next'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from routes" -s A -l all-namespaces -d 'The proxies of all namespaces; together with `--selector` those with the labels'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from routes" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from routes" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from routes" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from routes" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from route" -l name -d 'Only the route configuration of this name' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from route" -s f -l file -d 'Read a saved answer of the admin interface instead, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from route" -s o -l output -d 'Form of the output' -r -f -a "table\t'Rows and columns'
wide\t'More columns'
json\t'Envoy\'s own JSON, unknown fields and all'
yaml\t'The same as YAML'
name\t'Names only'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from route" -s w -l watch -d 'Show it again whenever it changes, looking every 2 seconds or as often as is said' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from route" -s l -l selector -d 'Pods with these labels, as for `kubectl -l`' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from route" -s n -l namespace -d 'Namespace of names that are written without one [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from route" -l proxy-admin-port -d 'Port of the proxy\'s admin interface [default: the pod\'s own setting, 15000]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from route" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from route" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from route" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from route" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from route" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from route" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from route" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from route" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from route" -l diff -d 'Show what differs between two proxies or files; with --watch, from one look to the next'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from route" -s A -l all-namespaces -d 'The proxies of all namespaces; together with `--selector` those with the labels'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from route" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from route" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from route" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from route" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoints" -l address -d 'Only endpoints with this address' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoints" -l port -d 'Only endpoints with this port' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoints" -l cluster -d 'Only endpoints of the cluster with this name' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoints" -l status -d 'Only endpoints with this health, such as healthy or unhealthy' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoints" -s f -l file -d 'Read a saved answer of the admin interface instead, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoints" -s o -l output -d 'Form of the output' -r -f -a "table\t'Rows and columns'
wide\t'More columns'
json\t'Envoy\'s own JSON, unknown fields and all'
yaml\t'The same as YAML'
name\t'Names only'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoints" -s w -l watch -d 'Show it again whenever it changes, looking every 2 seconds or as often as is said' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoints" -s l -l selector -d 'Pods with these labels, as for `kubectl -l`' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoints" -s n -l namespace -d 'Namespace of names that are written without one [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoints" -l proxy-admin-port -d 'Port of the proxy\'s admin interface [default: the pod\'s own setting, 15000]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoints" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoints" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoints" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoints" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoints" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoints" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoints" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoints" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoints" -l diff -d 'Show what differs between two proxies or files; with --watch, from one look to the next'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoints" -s A -l all-namespaces -d 'The proxies of all namespaces; together with `--selector` those with the labels'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoints" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoints" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoints" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoints" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoint" -l address -d 'Only endpoints with this address' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoint" -l port -d 'Only endpoints with this port' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoint" -l cluster -d 'Only endpoints of the cluster with this name' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoint" -l status -d 'Only endpoints with this health, such as healthy or unhealthy' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoint" -s f -l file -d 'Read a saved answer of the admin interface instead, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoint" -s o -l output -d 'Form of the output' -r -f -a "table\t'Rows and columns'
wide\t'More columns'
json\t'Envoy\'s own JSON, unknown fields and all'
yaml\t'The same as YAML'
name\t'Names only'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoint" -s w -l watch -d 'Show it again whenever it changes, looking every 2 seconds or as often as is said' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoint" -s l -l selector -d 'Pods with these labels, as for `kubectl -l`' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoint" -s n -l namespace -d 'Namespace of names that are written without one [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoint" -l proxy-admin-port -d 'Port of the proxy\'s admin interface [default: the pod\'s own setting, 15000]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoint" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoint" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoint" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoint" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoint" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoint" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoint" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoint" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoint" -l diff -d 'Show what differs between two proxies or files; with --watch, from one look to the next'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoint" -s A -l all-namespaces -d 'The proxies of all namespaces; together with `--selector` those with the labels'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoint" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoint" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoint" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from endpoint" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ep" -l address -d 'Only endpoints with this address' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ep" -l port -d 'Only endpoints with this port' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ep" -l cluster -d 'Only endpoints of the cluster with this name' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ep" -l status -d 'Only endpoints with this health, such as healthy or unhealthy' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ep" -s f -l file -d 'Read a saved answer of the admin interface instead, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ep" -s o -l output -d 'Form of the output' -r -f -a "table\t'Rows and columns'
wide\t'More columns'
json\t'Envoy\'s own JSON, unknown fields and all'
yaml\t'The same as YAML'
name\t'Names only'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ep" -s w -l watch -d 'Show it again whenever it changes, looking every 2 seconds or as often as is said' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ep" -s l -l selector -d 'Pods with these labels, as for `kubectl -l`' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ep" -s n -l namespace -d 'Namespace of names that are written without one [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ep" -l proxy-admin-port -d 'Port of the proxy\'s admin interface [default: the pod\'s own setting, 15000]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ep" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ep" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ep" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ep" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ep" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ep" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ep" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ep" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ep" -l diff -d 'Show what differs between two proxies or files; with --watch, from one look to the next'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ep" -s A -l all-namespaces -d 'The proxies of all namespaces; together with `--selector` those with the labels'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ep" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ep" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ep" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ep" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secrets" -s f -l file -d 'Read a saved answer of the admin interface instead, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secrets" -s o -l output -d 'Form of the output' -r -f -a "table\t'Rows and columns'
wide\t'More columns'
json\t'Envoy\'s own JSON, unknown fields and all'
yaml\t'The same as YAML'
name\t'Names only'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secrets" -s w -l watch -d 'Show it again whenever it changes, looking every 2 seconds or as often as is said' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secrets" -s l -l selector -d 'Pods with these labels, as for `kubectl -l`' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secrets" -s n -l namespace -d 'Namespace of names that are written without one [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secrets" -l proxy-admin-port -d 'Port of the proxy\'s admin interface [default: the pod\'s own setting, 15000]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secrets" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secrets" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secrets" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secrets" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secrets" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secrets" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secrets" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secrets" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secrets" -l diff -d 'Show what differs between two proxies or files; with --watch, from one look to the next'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secrets" -s A -l all-namespaces -d 'The proxies of all namespaces; together with `--selector` those with the labels'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secrets" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secrets" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secrets" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secrets" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secret" -s f -l file -d 'Read a saved answer of the admin interface instead, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secret" -s o -l output -d 'Form of the output' -r -f -a "table\t'Rows and columns'
wide\t'More columns'
json\t'Envoy\'s own JSON, unknown fields and all'
yaml\t'The same as YAML'
name\t'Names only'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secret" -s w -l watch -d 'Show it again whenever it changes, looking every 2 seconds or as often as is said' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secret" -s l -l selector -d 'Pods with these labels, as for `kubectl -l`' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secret" -s n -l namespace -d 'Namespace of names that are written without one [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secret" -l proxy-admin-port -d 'Port of the proxy\'s admin interface [default: the pod\'s own setting, 15000]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secret" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secret" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secret" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secret" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secret" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secret" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secret" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secret" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secret" -l diff -d 'Show what differs between two proxies or files; with --watch, from one look to the next'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secret" -s A -l all-namespaces -d 'The proxies of all namespaces; together with `--selector` those with the labels'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secret" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secret" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secret" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from secret" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ecds" -s f -l file -d 'Read a saved answer of the admin interface instead, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ecds" -s o -l output -d 'Form of the output' -r -f -a "table\t'Rows and columns'
wide\t'More columns'
json\t'Envoy\'s own JSON, unknown fields and all'
yaml\t'The same as YAML'
name\t'Names only'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ecds" -s w -l watch -d 'Show it again whenever it changes, looking every 2 seconds or as often as is said' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ecds" -s l -l selector -d 'Pods with these labels, as for `kubectl -l`' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ecds" -s n -l namespace -d 'Namespace of names that are written without one [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ecds" -l proxy-admin-port -d 'Port of the proxy\'s admin interface [default: the pod\'s own setting, 15000]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ecds" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ecds" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ecds" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ecds" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ecds" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ecds" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ecds" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ecds" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ecds" -l diff -d 'Show what differs between two proxies or files; with --watch, from one look to the next'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ecds" -s A -l all-namespaces -d 'The proxies of all namespaces; together with `--selector` those with the labels'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ecds" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ecds" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ecds" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from ecds" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from all" -s f -l file -d 'Read a saved answer of the admin interface instead, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from all" -s o -l output -d 'Form of the output' -r -f -a "table\t'Rows and columns'
wide\t'More columns'
json\t'Envoy\'s own JSON, unknown fields and all'
yaml\t'The same as YAML'
name\t'Names only'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from all" -s w -l watch -d 'Show it again whenever it changes, looking every 2 seconds or as often as is said' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from all" -s l -l selector -d 'Pods with these labels, as for `kubectl -l`' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from all" -s n -l namespace -d 'Namespace of names that are written without one [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from all" -l proxy-admin-port -d 'Port of the proxy\'s admin interface [default: the pod\'s own setting, 15000]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from all" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from all" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from all" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from all" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from all" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from all" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from all" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from all" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from all" -l diff -d 'Show what differs between two proxies or files; with --watch, from one look to the next'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from all" -s A -l all-namespaces -d 'The proxies of all namespaces; together with `--selector` those with the labels'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from all" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from all" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from all" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from all" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from log" -l level -d 'Levels to set: LEVEL for all loggers, or LOGGER:LEVEL (comma-separated, can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from log" -s o -l output -d 'Form of the output' -r -f -a "table\t'Rows and columns'
json\t'An object of levels by logger, for each proxy'
yaml\t'The same as YAML'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from log" -s l -l selector -d 'Pods with these labels, as for `kubectl -l`' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from log" -s n -l namespace -d 'Namespace of names that are written without one [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from log" -l proxy-admin-port -d 'Port of the proxy\'s admin interface [default: the pod\'s own setting, 15000]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from log" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from log" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from log" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from log" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from log" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from log" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from log" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from log" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from log" -s r -l reset -d 'Set the levels that the pod started with'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from log" -s A -l all-namespaces -d 'The proxies of all namespaces; together with `--selector` those with the labels'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from log" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from log" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from log" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-config; and __fish_seen_subcommand_from log" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -f -a "bootstrap" -d 'Who the proxy is: node, versions'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -f -a "clusters" -d 'Clusters: the services that the proxy can send to'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -f -a "cluster" -d 'Clusters: the services that the proxy can send to'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -f -a "listeners" -d 'Listeners and their filter chains: what the proxy accepts, and where that goes'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -f -a "listener" -d 'Listeners and their filter chains: what the proxy accepts, and where that goes'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -f -a "routes" -d 'Routes: which request goes to which cluster'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -f -a "route" -d 'Routes: which request goes to which cluster'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -f -a "endpoints" -d 'Endpoints: the addresses behind the clusters, and their health'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -f -a "endpoint" -d 'Endpoints: the addresses behind the clusters, and their health'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -f -a "ep" -d 'Endpoints: the addresses behind the clusters, and their health'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -f -a "secrets" -d 'Certificates: identity, issuer, and how long they are valid'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -f -a "secret" -d 'Certificates: identity, issuer, and how long they are valid'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -f -a "ecds" -d 'Extension configurations that are discovered on their own'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -f -a "all" -d 'All of these'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and not __fish_seen_subcommand_from bootstrap clusters cluster listeners listener routes route endpoints endpoint ep secrets secret ecds all log" -f -a "log" -d 'Read or set the levels of the proxy\'s log'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from bootstrap" -s f -l file -d 'Read a saved answer of the admin interface instead, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from bootstrap" -s o -l output -d 'Form of the output' -r -f -a "table\t'Rows and columns'
wide\t'More columns'
json\t'Envoy\'s own JSON, unknown fields and all'
yaml\t'The same as YAML'
name\t'Names only'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from bootstrap" -s w -l watch -d 'Show it again whenever it changes, looking every 2 seconds or as often as is said' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from bootstrap" -s l -l selector -d 'Pods with these labels, as for `kubectl -l`' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from bootstrap" -s n -l namespace -d 'Namespace of names that are written without one [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from bootstrap" -l proxy-admin-port -d 'Port of the proxy\'s admin interface [default: the pod\'s own setting, 15000]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from bootstrap" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from bootstrap" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from bootstrap" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from bootstrap" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from bootstrap" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from bootstrap" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from bootstrap" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from bootstrap" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from bootstrap" -l diff -d 'Show what differs between two proxies or files; with --watch, from one look to the next'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from bootstrap" -s A -l all-namespaces -d 'The proxies of all namespaces; together with `--selector` those with the labels'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from bootstrap" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from bootstrap" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from bootstrap" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from bootstrap" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from clusters" -l fqdn -d 'Only clusters with this in their name' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from clusters" -l port -d 'Only clusters for this port of a service' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from clusters" -l subset -d 'Only clusters for a subset with this in its name' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from clusters" -l direction -d 'Only clusters for one direction: inbound or outbound' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from clusters" -s f -l file -d 'Read a saved answer of the admin interface instead, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from clusters" -s o -l output -d 'Form of the output' -r -f -a "table\t'Rows and columns'
wide\t'More columns'
json\t'Envoy\'s own JSON, unknown fields and all'
yaml\t'The same as YAML'
name\t'Names only'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from clusters" -s w -l watch -d 'Show it again whenever it changes, looking every 2 seconds or as often as is said' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from clusters" -s l -l selector -d 'Pods with these labels, as for `kubectl -l`' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from clusters" -s n -l namespace -d 'Namespace of names that are written without one [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from clusters" -l proxy-admin-port -d 'Port of the proxy\'s admin interface [default: the pod\'s own setting, 15000]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from clusters" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from clusters" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from clusters" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from clusters" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from clusters" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from clusters" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from clusters" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from clusters" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from clusters" -l diff -d 'Show what differs between two proxies or files; with --watch, from one look to the next'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from clusters" -s A -l all-namespaces -d 'The proxies of all namespaces; together with `--selector` those with the labels'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from clusters" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from clusters" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from clusters" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from clusters" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from cluster" -l fqdn -d 'Only clusters with this in their name' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from cluster" -l port -d 'Only clusters for this port of a service' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from cluster" -l subset -d 'Only clusters for a subset with this in its name' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from cluster" -l direction -d 'Only clusters for one direction: inbound or outbound' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from cluster" -s f -l file -d 'Read a saved answer of the admin interface instead, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from cluster" -s o -l output -d 'Form of the output' -r -f -a "table\t'Rows and columns'
wide\t'More columns'
json\t'Envoy\'s own JSON, unknown fields and all'
yaml\t'The same as YAML'
name\t'Names only'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from cluster" -s w -l watch -d 'Show it again whenever it changes, looking every 2 seconds or as often as is said' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from cluster" -s l -l selector -d 'Pods with these labels, as for `kubectl -l`' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from cluster" -s n -l namespace -d 'Namespace of names that are written without one [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from cluster" -l proxy-admin-port -d 'Port of the proxy\'s admin interface [default: the pod\'s own setting, 15000]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from cluster" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from cluster" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from cluster" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from cluster" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from cluster" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from cluster" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from cluster" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from cluster" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from cluster" -l diff -d 'Show what differs between two proxies or files; with --watch, from one look to the next'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from cluster" -s A -l all-namespaces -d 'The proxies of all namespaces; together with `--selector` those with the labels'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from cluster" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from cluster" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from cluster" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from cluster" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listeners" -l address -d 'Only listeners on this address' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listeners" -l port -d 'Only listeners on this port' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listeners" -l type -d 'Only listeners that speak this' -r -f -a "HTTP\t'HTTP'
TCP\t'TCP'
HTTP+TCP\t'HTTP in some filter chains, TCP in others'
UNKNOWN\t'Anything else'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listeners" -s f -l file -d 'Read a saved answer of the admin interface instead, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listeners" -s o -l output -d 'Form of the output' -r -f -a "table\t'Rows and columns'
wide\t'More columns'
json\t'Envoy\'s own JSON, unknown fields and all'
yaml\t'The same as YAML'
name\t'Names only'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listeners" -s w -l watch -d 'Show it again whenever it changes, looking every 2 seconds or as often as is said' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listeners" -s l -l selector -d 'Pods with these labels, as for `kubectl -l`' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listeners" -s n -l namespace -d 'Namespace of names that are written without one [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listeners" -l proxy-admin-port -d 'Port of the proxy\'s admin interface [default: the pod\'s own setting, 15000]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listeners" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listeners" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listeners" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listeners" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listeners" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listeners" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listeners" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listeners" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listeners" -l diff -d 'Show what differs between two proxies or files; with --watch, from one look to the next'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listeners" -s A -l all-namespaces -d 'The proxies of all namespaces; together with `--selector` those with the labels'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listeners" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listeners" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listeners" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listeners" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listener" -l address -d 'Only listeners on this address' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listener" -l port -d 'Only listeners on this port' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listener" -l type -d 'Only listeners that speak this' -r -f -a "HTTP\t'HTTP'
TCP\t'TCP'
HTTP+TCP\t'HTTP in some filter chains, TCP in others'
UNKNOWN\t'Anything else'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listener" -s f -l file -d 'Read a saved answer of the admin interface instead, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listener" -s o -l output -d 'Form of the output' -r -f -a "table\t'Rows and columns'
wide\t'More columns'
json\t'Envoy\'s own JSON, unknown fields and all'
yaml\t'The same as YAML'
name\t'Names only'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listener" -s w -l watch -d 'Show it again whenever it changes, looking every 2 seconds or as often as is said' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listener" -s l -l selector -d 'Pods with these labels, as for `kubectl -l`' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listener" -s n -l namespace -d 'Namespace of names that are written without one [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listener" -l proxy-admin-port -d 'Port of the proxy\'s admin interface [default: the pod\'s own setting, 15000]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listener" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listener" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listener" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listener" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listener" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listener" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listener" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listener" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listener" -l diff -d 'Show what differs between two proxies or files; with --watch, from one look to the next'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listener" -s A -l all-namespaces -d 'The proxies of all namespaces; together with `--selector` those with the labels'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listener" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listener" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listener" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from listener" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from routes" -l name -d 'Only the route configuration of this name' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from routes" -s f -l file -d 'Read a saved answer of the admin interface instead, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from routes" -s o -l output -d 'Form of the output' -r -f -a "table\t'Rows and columns'
wide\t'More columns'
json\t'Envoy\'s own JSON, unknown fields and all'
yaml\t'The same as YAML'
name\t'Names only'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from routes" -s w -l watch -d 'Show it again whenever it changes, looking every 2 seconds or as often as is said' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from routes" -s l -l selector -d 'Pods with these labels, as for `kubectl -l`' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from routes" -s n -l namespace -d 'Namespace of names that are written without one [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from routes" -l proxy-admin-port -d 'Port of the proxy\'s admin interface [default: the pod\'s own setting, 15000]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from routes" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from routes" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from routes" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from routes" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from routes" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from routes" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from routes" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from routes" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from routes" -l diff -d 'Show what differs between two proxies or files; with --watch, from one look to the next'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from routes" -s A -l all-namespaces -d 'The proxies of all namespaces; together with `--selector` those with the labels'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from routes" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from routes" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from routes" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from routes" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from route" -l name -d 'Only the route configuration of this name' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from route" -s f -l file -d 'Read a saved answer of the admin interface instead, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from route" -s o -l output -d 'Form of the output' -r -f -a "table\t'Rows and columns'
wide\t'More columns'
json\t'Envoy\'s own JSON, unknown fields and all'
yaml\t'The same as YAML'
name\t'Names only'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from route" -s w -l watch -d 'Show it again whenever it changes, looking every 2 seconds or as often as is said' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from route" -s l -l selector -d 'Pods with these labels, as for `kubectl -l`' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from route" -s n -l namespace -d 'Namespace of names that are written without one [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from route" -l proxy-admin-port -d 'Port of the proxy\'s admin interface [default: the pod\'s own setting, 15000]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from route" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from route" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from route" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from route" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from route" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from route" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from route" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from route" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from route" -l diff -d 'Show what differs between two proxies or files; with --watch, from one look to the next'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from route" -s A -l all-namespaces -d 'The proxies of all namespaces; together with `--selector` those with the labels'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from route" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from route" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from route" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from route" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoints" -l address -d 'Only endpoints with this address' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoints" -l port -d 'Only endpoints with this port' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoints" -l cluster -d 'Only endpoints of the cluster with this name' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoints" -l status -d 'Only endpoints with this health, such as healthy or unhealthy' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoints" -s f -l file -d 'Read a saved answer of the admin interface instead, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoints" -s o -l output -d 'Form of the output' -r -f -a "table\t'Rows and columns'
wide\t'More columns'
json\t'Envoy\'s own JSON, unknown fields and all'
yaml\t'The same as YAML'
name\t'Names only'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoints" -s w -l watch -d 'Show it again whenever it changes, looking every 2 seconds or as often as is said' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoints" -s l -l selector -d 'Pods with these labels, as for `kubectl -l`' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoints" -s n -l namespace -d 'Namespace of names that are written without one [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoints" -l proxy-admin-port -d 'Port of the proxy\'s admin interface [default: the pod\'s own setting, 15000]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoints" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoints" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoints" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoints" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoints" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoints" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoints" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoints" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoints" -l diff -d 'Show what differs between two proxies or files; with --watch, from one look to the next'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoints" -s A -l all-namespaces -d 'The proxies of all namespaces; together with `--selector` those with the labels'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoints" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoints" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoints" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoints" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoint" -l address -d 'Only endpoints with this address' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoint" -l port -d 'Only endpoints with this port' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoint" -l cluster -d 'Only endpoints of the cluster with this name' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoint" -l status -d 'Only endpoints with this health, such as healthy or unhealthy' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoint" -s f -l file -d 'Read a saved answer of the admin interface instead, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoint" -s o -l output -d 'Form of the output' -r -f -a "table\t'Rows and columns'
wide\t'More columns'
json\t'Envoy\'s own JSON, unknown fields and all'
yaml\t'The same as YAML'
name\t'Names only'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoint" -s w -l watch -d 'Show it again whenever it changes, looking every 2 seconds or as often as is said' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoint" -s l -l selector -d 'Pods with these labels, as for `kubectl -l`' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoint" -s n -l namespace -d 'Namespace of names that are written without one [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoint" -l proxy-admin-port -d 'Port of the proxy\'s admin interface [default: the pod\'s own setting, 15000]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoint" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoint" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoint" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoint" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoint" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoint" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoint" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoint" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoint" -l diff -d 'Show what differs between two proxies or files; with --watch, from one look to the next'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoint" -s A -l all-namespaces -d 'The proxies of all namespaces; together with `--selector` those with the labels'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoint" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoint" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoint" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from endpoint" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ep" -l address -d 'Only endpoints with this address' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ep" -l port -d 'Only endpoints with this port' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ep" -l cluster -d 'Only endpoints of the cluster with this name' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ep" -l status -d 'Only endpoints with this health, such as healthy or unhealthy' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ep" -s f -l file -d 'Read a saved answer of the admin interface instead, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ep" -s o -l output -d 'Form of the output' -r -f -a "table\t'Rows and columns'
wide\t'More columns'
json\t'Envoy\'s own JSON, unknown fields and all'
yaml\t'The same as YAML'
name\t'Names only'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ep" -s w -l watch -d 'Show it again whenever it changes, looking every 2 seconds or as often as is said' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ep" -s l -l selector -d 'Pods with these labels, as for `kubectl -l`' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ep" -s n -l namespace -d 'Namespace of names that are written without one [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ep" -l proxy-admin-port -d 'Port of the proxy\'s admin interface [default: the pod\'s own setting, 15000]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ep" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ep" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ep" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ep" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ep" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ep" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ep" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ep" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ep" -l diff -d 'Show what differs between two proxies or files; with --watch, from one look to the next'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ep" -s A -l all-namespaces -d 'The proxies of all namespaces; together with `--selector` those with the labels'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ep" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ep" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ep" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ep" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secrets" -s f -l file -d 'Read a saved answer of the admin interface instead, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secrets" -s o -l output -d 'Form of the output' -r -f -a "table\t'Rows and columns'
wide\t'More columns'
json\t'Envoy\'s own JSON, unknown fields and all'
yaml\t'The same as YAML'
name\t'Names only'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secrets" -s w -l watch -d 'Show it again whenever it changes, looking every 2 seconds or as often as is said' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secrets" -s l -l selector -d 'Pods with these labels, as for `kubectl -l`' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secrets" -s n -l namespace -d 'Namespace of names that are written without one [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secrets" -l proxy-admin-port -d 'Port of the proxy\'s admin interface [default: the pod\'s own setting, 15000]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secrets" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secrets" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secrets" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secrets" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secrets" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secrets" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secrets" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secrets" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secrets" -l diff -d 'Show what differs between two proxies or files; with --watch, from one look to the next'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secrets" -s A -l all-namespaces -d 'The proxies of all namespaces; together with `--selector` those with the labels'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secrets" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secrets" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secrets" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secrets" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secret" -s f -l file -d 'Read a saved answer of the admin interface instead, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secret" -s o -l output -d 'Form of the output' -r -f -a "table\t'Rows and columns'
wide\t'More columns'
json\t'Envoy\'s own JSON, unknown fields and all'
yaml\t'The same as YAML'
name\t'Names only'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secret" -s w -l watch -d 'Show it again whenever it changes, looking every 2 seconds or as often as is said' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secret" -s l -l selector -d 'Pods with these labels, as for `kubectl -l`' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secret" -s n -l namespace -d 'Namespace of names that are written without one [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secret" -l proxy-admin-port -d 'Port of the proxy\'s admin interface [default: the pod\'s own setting, 15000]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secret" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secret" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secret" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secret" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secret" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secret" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secret" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secret" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secret" -l diff -d 'Show what differs between two proxies or files; with --watch, from one look to the next'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secret" -s A -l all-namespaces -d 'The proxies of all namespaces; together with `--selector` those with the labels'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secret" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secret" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secret" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from secret" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ecds" -s f -l file -d 'Read a saved answer of the admin interface instead, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ecds" -s o -l output -d 'Form of the output' -r -f -a "table\t'Rows and columns'
wide\t'More columns'
json\t'Envoy\'s own JSON, unknown fields and all'
yaml\t'The same as YAML'
name\t'Names only'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ecds" -s w -l watch -d 'Show it again whenever it changes, looking every 2 seconds or as often as is said' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ecds" -s l -l selector -d 'Pods with these labels, as for `kubectl -l`' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ecds" -s n -l namespace -d 'Namespace of names that are written without one [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ecds" -l proxy-admin-port -d 'Port of the proxy\'s admin interface [default: the pod\'s own setting, 15000]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ecds" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ecds" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ecds" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ecds" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ecds" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ecds" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ecds" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ecds" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ecds" -l diff -d 'Show what differs between two proxies or files; with --watch, from one look to the next'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ecds" -s A -l all-namespaces -d 'The proxies of all namespaces; together with `--selector` those with the labels'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ecds" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ecds" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ecds" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from ecds" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from all" -s f -l file -d 'Read a saved answer of the admin interface instead, `-` for standard input (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from all" -s o -l output -d 'Form of the output' -r -f -a "table\t'Rows and columns'
wide\t'More columns'
json\t'Envoy\'s own JSON, unknown fields and all'
yaml\t'The same as YAML'
name\t'Names only'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from all" -s w -l watch -d 'Show it again whenever it changes, looking every 2 seconds or as often as is said' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from all" -s l -l selector -d 'Pods with these labels, as for `kubectl -l`' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from all" -s n -l namespace -d 'Namespace of names that are written without one [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from all" -l proxy-admin-port -d 'Port of the proxy\'s admin interface [default: the pod\'s own setting, 15000]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from all" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from all" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from all" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from all" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from all" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from all" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from all" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from all" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from all" -l diff -d 'Show what differs between two proxies or files; with --watch, from one look to the next'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from all" -s A -l all-namespaces -d 'The proxies of all namespaces; together with `--selector` those with the labels'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from all" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from all" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from all" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from all" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from log" -l level -d 'Levels to set: LEVEL for all loggers, or LOGGER:LEVEL (comma-separated, can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from log" -s o -l output -d 'Form of the output' -r -f -a "table\t'Rows and columns'
json\t'An object of levels by logger, for each proxy'
yaml\t'The same as YAML'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from log" -s l -l selector -d 'Pods with these labels, as for `kubectl -l`' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from log" -s n -l namespace -d 'Namespace of names that are written without one [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from log" -l proxy-admin-port -d 'Port of the proxy\'s admin interface [default: the pod\'s own setting, 15000]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from log" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from log" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from log" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from log" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from log" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from log" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from log" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from log" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from log" -s r -l reset -d 'Set the levels that the pod started with'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from log" -s A -l all-namespaces -d 'The proxies of all namespaces; together with `--selector` those with the labels'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from log" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from log" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from log" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand pc; and __fish_seen_subcommand_from log" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-status" -s n -l namespace -d 'Only proxies of this namespace [default: of all; for the PROXY, the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-status" -s i -l istio-namespace -d 'Namespace of the control plane' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-status" -s r -l revision -d 'Only control planes of this revision' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-status" -s o -l output -d 'Form of the output' -r -f -a "table\t'Rows and columns'
wide\t'With the time since istiod sent each'
json\t'One JSON document'
yaml\t'The same as YAML'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-status" -s w -l watch -d 'Show it again whenever it changes, looking every 2 seconds or as often as is said' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-status" -l fail-on -d 'When to exit with status 1' -r -f -a "never\t'Never'
stale\t'When a proxy has not acknowledged something, or refused it'
error\t'When a proxy refused something'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-status" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-status" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-status" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-status" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-status" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-status" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-status" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-status" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-status" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-status" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand proxy-status" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand ps" -s n -l namespace -d 'Only proxies of this namespace [default: of all; for the PROXY, the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand ps" -s i -l istio-namespace -d 'Namespace of the control plane' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand ps" -s r -l revision -d 'Only control planes of this revision' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand ps" -s o -l output -d 'Form of the output' -r -f -a "table\t'Rows and columns'
wide\t'With the time since istiod sent each'
json\t'One JSON document'
yaml\t'The same as YAML'"
complete -c meshctl -n "__fish_meshctl_using_subcommand ps" -s w -l watch -d 'Show it again whenever it changes, looking every 2 seconds or as often as is said' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand ps" -l fail-on -d 'When to exit with status 1' -r -f -a "never\t'Never'
stale\t'When a proxy has not acknowledged something, or refused it'
error\t'When a proxy refused something'"
complete -c meshctl -n "__fish_meshctl_using_subcommand ps" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand ps" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand ps" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand ps" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand ps" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand ps" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand ps" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand ps" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand ps" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand ps" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand ps" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand ps" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand trace" -s p -l proxy -d 'Proxy that gets the request: POD, deploy/NAME, gateway/NAME, and so on, with .NAMESPACE if need be' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand trace" -s f -l file -d 'Read a saved config dump instead, `-` for standard input; further ones add to it, such as `clusters?format=json`' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand trace" -s n -l namespace -d 'Namespace of a PROXY that is written without one [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand trace" -l proxy-admin-port -d 'Port of the proxy\'s admin interface [default: the pod\'s own setting, 15000]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand trace" -l listener -d 'The request comes to the listener of this name' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand trace" -l to -d 'Address that the client connects to [default: the URL\'s, if it is an address]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand trace" -l from -d 'Address of the client [default: 127.0.0.1]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand trace" -l sni -d 'Server name of the TLS handshake [default: the host of https and tls]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand trace" -l alpn -d 'Protocols that the client offers in the TLS handshake (comma-separated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand trace" -l seed -d 'Number that stands for chance: chooses among weighted clusters' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand trace" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'One JSON document'
yaml\t'The same document as YAML'"
complete -c meshctl -n "__fish_meshctl_using_subcommand trace" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand trace" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand trace" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand trace" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand trace" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand trace" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand trace" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand trace" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand trace" -l inbound -d 'The request comes to the workload beside the proxy, rather than from it'
complete -c meshctl -n "__fish_meshctl_using_subcommand trace" -l direct -d 'The request comes straight to a listener\'s own address, as with gateways'
complete -c meshctl -n "__fish_meshctl_using_subcommand trace" -l mtls -d 'The client shows a certificate (mutual TLS)'
complete -c meshctl -n "__fish_meshctl_using_subcommand trace" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand trace" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand trace" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand trace" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and not __fish_seen_subcommand_from init shift status run promote abort undo pause resume history" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and not __fish_seen_subcommand_from init shift status run promote abort undo pause resume history" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and not __fish_seen_subcommand_from init shift status run promote abort undo pause resume history" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and not __fish_seen_subcommand_from init shift status run promote abort undo pause resume history" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and not __fish_seen_subcommand_from init shift status run promote abort undo pause resume history" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and not __fish_seen_subcommand_from init shift status run promote abort undo pause resume history" -f -a "init" -d 'Find or make the objects that a rollout needs, and move nothing yet'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and not __fish_seen_subcommand_from init shift status run promote abort undo pause resume history" -f -a "shift" -d 'Give the new version a share of the traffic: 10%, or +10% more than now'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and not __fish_seen_subcommand_from init shift status run promote abort undo pause resume history" -f -a "status" -d 'Show versions, weights, pods and numbers'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and not __fish_seen_subcommand_from init shift status run promote abort undo pause resume history" -f -a "run" -d 'Move traffic step by step, judge each step, and go back if it is bad'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and not __fish_seen_subcommand_from init shift status run promote abort undo pause resume history" -f -a "promote" -d 'Give the new version all traffic: it is the stable one from now on'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and not __fish_seen_subcommand_from init shift status run promote abort undo pause resume history" -f -a "abort" -d 'Send all traffic back at once, and restore the routes'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and not __fish_seen_subcommand_from init shift status run promote abort undo pause resume history" -f -a "undo" -d 'Take a promotion back'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and not __fish_seen_subcommand_from init shift status run promote abort undo pause resume history" -f -a "pause" -d 'Hold a run that is under way where it is'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and not __fish_seen_subcommand_from init shift status run promote abort undo pause resume history" -f -a "resume" -d 'Go on with a run that was paused or has died'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and not __fish_seen_subcommand_from init shift status run promote abort undo pause resume history" -f -a "history" -d 'List what happened'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from init" -l proxy-timeout -d 'How long to wait for proxies to know the subsets, and to have the weights' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from init" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'A JSON object on each line'"
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from init" -s s -l service -d 'The service, as NAME or NAME.NAMESPACE [default: the one of the last time here, or the only candidate]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from init" -s n -l namespace -d 'Namespace of the service [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from init" -l stable -d 'The version that has the traffic: a subset, a value of the pods\' label `version`, or a service' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from init" -l canary -d 'The version that gets it' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from init" -l object -d 'The VirtualService or Gateway API route to change, if several route the service' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from init" -l route -d 'The only route to change, by name or number [default: all that send to the stable version]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from init" -l istio-namespace -d 'Namespace of the control plane' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from init" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from init" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from init" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from init" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from init" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from init" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from init" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from init" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from init" -l dry-run -d 'Change nothing: only check, and ask the server'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from init" -l diff -d 'Print what changes in the objects'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from init" -l allow-gitops -d 'Go on although Argo CD, Flux or Helm looks after the object'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from init" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from init" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from init" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from init" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -l to -d 'Shares to go through, such as 10%,25%,50%: each when the proxies have the one before. Nothing is judged' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -l interval -d 'How long to wait between two shares of `--to`, once the proxies have the first [default: not at all]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -l match -d 'Send requests with this header to the new version, whatever the weights (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -l match-cookie -d 'Send requests with this cookie to the new version, whatever the weights (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -l mirror -d 'Send the new version a copy of this share of the requests; its answers are thrown away' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -l sticky -d 'Keep users who were sent to the new version there, by a cookie of this name' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -l files -d 'Edit the files below here instead of the cluster, and keep their comments (can be repeated)' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -l proxy-timeout -d 'How long to wait for proxies to know the subsets, and to have the weights' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'A JSON object on each line'"
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -s s -l service -d 'The service, as NAME or NAME.NAMESPACE [default: the one of the last time here, or the only candidate]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -s n -l namespace -d 'Namespace of the service [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -l stable -d 'The version that has the traffic: a subset, a value of the pods\' label `version`, or a service' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -l canary -d 'The version that gets it' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -l object -d 'The VirtualService or Gateway API route to change, if several route the service' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -l route -d 'The only route to change, by name or number [default: all that send to the stable version]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -l istio-namespace -d 'Namespace of the control plane' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -l no-match -d 'Drop every earlier --match and --match-cookie of the rollout'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -l no-mirror -d 'Send it no copies any more'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -l no-sticky -d 'Do not keep users at the new version any more'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -l rescale -d 'Multiply the weights of a route where they cannot express a share, in this rollout from here on'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -l dry-run -d 'Change nothing: only check, and ask the server'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -l diff -d 'Print what changes in the objects'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -l allow-gitops -d 'Go on although Argo CD, Flux or Helm looks after the object'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from shift" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from status" -l prometheus -d 'Address of Prometheus [default: the one in the cluster, through port-forward]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from status" -l prometheus-header -d 'Header of every question to it, or @FILE for a file with a header on each line (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from status" -l prometheus-token-file -d 'File with the bearer token for it; read for every question, because tokens are renewed' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from status" -l prometheus-ca -d 'File with the authorities (PEM) that may have signed its certificate, beside those of the system' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from status" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'One JSON document'
yaml\t'The same document as YAML'"
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from status" -s w -l watch -d 'Show it again whenever it changes, looking every 2 seconds or as often as is said' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from status" -s s -l service -d 'The service, as NAME or NAME.NAMESPACE [default: the one of the last time here, or the only candidate]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from status" -s n -l namespace -d 'Namespace of the service [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from status" -l stable -d 'The version that has the traffic: a subset, a value of the pods\' label `version`, or a service' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from status" -l canary -d 'The version that gets it' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from status" -l object -d 'The VirtualService or Gateway API route to change, if several route the service' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from status" -l route -d 'The only route to change, by name or number [default: all that send to the stable version]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from status" -l istio-namespace -d 'Namespace of the control plane' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from status" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from status" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from status" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from status" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from status" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from status" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from status" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from status" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from status" -l prometheus-insecure -d 'Take any certificate for that of Prometheus'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from status" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from status" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from status" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from status" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l plan -d 'File with the plan: steps, limits, metrics, webhooks. Arguments win over it' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l steps -d 'Shares of the new version, rising [default: 5,10,25,50,100]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l interval -d 'How long each step is watched before it is judged [default: 1m]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l success-rate -d 'Requests that must succeed [default: 99%]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l p99 -d 'What 99% of the requests may take at most' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l min-requests -d 'Requests below which there is nothing to judge [default: 20]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l max-failures -d 'Bad verdicts with which traffic goes back [default: 2]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l max-inconclusive -d 'Verdicts in a row that say nothing with which the run stops [default: 5]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l match -d 'Send requests with this header to the new version, whatever the weights (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l match-cookie -d 'Send requests with this cookie to the new version, whatever the weights (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l mirror -d 'Send the new version a copy of this share of the requests; its answers are thrown away' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l sticky -d 'Keep users who were sent to the new version there, by a cookie of this name' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l prometheus -d 'Address of Prometheus [default: the one in the cluster, through port-forward]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l prometheus-header -d 'Header of every question to it, or @FILE for a file with a header on each line (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l prometheus-token-file -d 'File with the bearer token for it; read for every question, because tokens are renewed' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l prometheus-ca -d 'File with the authorities (PEM) that may have signed its certificate, beside those of the system' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l query-timeout -d 'How long one question to Prometheus may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l on-interrupt -d 'What becomes of traffic when the run is stopped by Ctrl-C or SIGTERM' -r -f -a "hold\t'It stays where it is'
abort\t'All of it goes back'"
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l proxy-timeout -d 'How long to wait for proxies to know the subsets, and to have the weights' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'A JSON object on each line'"
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -s s -l service -d 'The service, as NAME or NAME.NAMESPACE [default: the one of the last time here, or the only candidate]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -s n -l namespace -d 'Namespace of the service [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l stable -d 'The version that has the traffic: a subset, a value of the pods\' label `version`, or a service' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l canary -d 'The version that gets it' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l object -d 'The VirtualService or Gateway API route to change, if several route the service' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l route -d 'The only route to change, by name or number [default: all that send to the stable version]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l istio-namespace -d 'Namespace of the control plane' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l no-compare -d 'Do not hold the new version against the stable one, only against the limits'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l no-match -d 'Drop every earlier --match and --match-cookie of the rollout'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l no-mirror -d 'Send it no copies any more'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l no-sticky -d 'Do not keep users at the new version any more'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l rescale -d 'Multiply the weights of a route where they cannot express a share, in this rollout from here on'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l prometheus-insecure -d 'Take any certificate for that of Prometheus'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l dry-run -d 'Change nothing: only check, and ask the server'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l diff -d 'Print what changes in the objects'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -l allow-gitops -d 'Go on although Argo CD, Flux or Helm looks after the object'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from run" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from promote" -l proxy-timeout -d 'How long to wait for proxies to know the subsets, and to have the weights' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from promote" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'A JSON object on each line'"
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from promote" -s s -l service -d 'The service, as NAME or NAME.NAMESPACE [default: the one of the last time here, or the only candidate]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from promote" -s n -l namespace -d 'Namespace of the service [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from promote" -l stable -d 'The version that has the traffic: a subset, a value of the pods\' label `version`, or a service' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from promote" -l canary -d 'The version that gets it' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from promote" -l object -d 'The VirtualService or Gateway API route to change, if several route the service' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from promote" -l route -d 'The only route to change, by name or number [default: all that send to the stable version]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from promote" -l istio-namespace -d 'Namespace of the control plane' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from promote" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from promote" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from promote" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from promote" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from promote" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from promote" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from promote" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from promote" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from promote" -l dry-run -d 'Change nothing: only check, and ask the server'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from promote" -l diff -d 'Print what changes in the objects'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from promote" -l allow-gitops -d 'Go on although Argo CD, Flux or Helm looks after the object'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from promote" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from promote" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from promote" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from promote" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from abort" -l proxy-timeout -d 'How long to wait for proxies to have the weights' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from abort" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'A JSON object on each line'"
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from abort" -s s -l service -d 'The service, as NAME or NAME.NAMESPACE [default: the one of the last time here, or the only candidate]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from abort" -s n -l namespace -d 'Namespace of the service [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from abort" -l stable -d 'The version that has the traffic: a subset, a value of the pods\' label `version`, or a service' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from abort" -l canary -d 'The version that gets it' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from abort" -l object -d 'The VirtualService or Gateway API route to change, if several route the service' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from abort" -l route -d 'The only route to change, by name or number [default: all that send to the stable version]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from abort" -l istio-namespace -d 'Namespace of the control plane' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from abort" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from abort" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from abort" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from abort" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from abort" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from abort" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from abort" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from abort" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from abort" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from abort" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from abort" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from abort" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from undo" -l proxy-timeout -d 'How long to wait for proxies to have the weights' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from undo" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'A JSON object on each line'"
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from undo" -s s -l service -d 'The service, as NAME or NAME.NAMESPACE [default: the one of the last time here, or the only candidate]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from undo" -s n -l namespace -d 'Namespace of the service [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from undo" -l stable -d 'The version that has the traffic: a subset, a value of the pods\' label `version`, or a service' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from undo" -l canary -d 'The version that gets it' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from undo" -l object -d 'The VirtualService or Gateway API route to change, if several route the service' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from undo" -l route -d 'The only route to change, by name or number [default: all that send to the stable version]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from undo" -l istio-namespace -d 'Namespace of the control plane' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from undo" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from undo" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from undo" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from undo" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from undo" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from undo" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from undo" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from undo" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from undo" -l force -d 'Go back even if no pod of the old version is ready'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from undo" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from undo" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from undo" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from undo" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from pause" -l proxy-timeout -d 'How long to wait for proxies to have the weights' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from pause" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'A JSON object on each line'"
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from pause" -s s -l service -d 'The service, as NAME or NAME.NAMESPACE [default: the one of the last time here, or the only candidate]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from pause" -s n -l namespace -d 'Namespace of the service [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from pause" -l stable -d 'The version that has the traffic: a subset, a value of the pods\' label `version`, or a service' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from pause" -l canary -d 'The version that gets it' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from pause" -l object -d 'The VirtualService or Gateway API route to change, if several route the service' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from pause" -l route -d 'The only route to change, by name or number [default: all that send to the stable version]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from pause" -l istio-namespace -d 'Namespace of the control plane' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from pause" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from pause" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from pause" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from pause" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from pause" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from pause" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from pause" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from pause" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from pause" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from pause" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from pause" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from pause" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -l prometheus -d 'Address of Prometheus [default: the one in the cluster, through port-forward]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -l prometheus-header -d 'Header of every question to it, or @FILE for a file with a header on each line (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -l prometheus-token-file -d 'File with the bearer token for it; read for every question, because tokens are renewed' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -l prometheus-ca -d 'File with the authorities (PEM) that may have signed its certificate, beside those of the system' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -l query-timeout -d 'How long one question to Prometheus may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -l on-interrupt -d 'What becomes of traffic when the run is stopped by Ctrl-C or SIGTERM' -r -f -a "hold\t'It stays where it is'
abort\t'All of it goes back'"
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -l proxy-timeout -d 'How long to wait for proxies to have the weights' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'A JSON object on each line'"
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -s s -l service -d 'The service, as NAME or NAME.NAMESPACE [default: the one of the last time here, or the only candidate]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -s n -l namespace -d 'Namespace of the service [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -l stable -d 'The version that has the traffic: a subset, a value of the pods\' label `version`, or a service' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -l canary -d 'The version that gets it' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -l object -d 'The VirtualService or Gateway API route to change, if several route the service' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -l route -d 'The only route to change, by name or number [default: all that send to the stable version]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -l istio-namespace -d 'Namespace of the control plane' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -l prometheus-insecure -d 'Take any certificate for that of Prometheus'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from resume" -s V -l version -d 'Print version'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from history" -l proxy-timeout -d 'How long to wait for proxies to have the weights' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from history" -s o -l output -d 'Form of the output' -r -f -a "text\t'For people'
json\t'A JSON object on each line'"
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from history" -s s -l service -d 'The service, as NAME or NAME.NAMESPACE [default: the one of the last time here, or the only candidate]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from history" -s n -l namespace -d 'Namespace of the service [default: the context\'s]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from history" -l stable -d 'The version that has the traffic: a subset, a value of the pods\' label `version`, or a service' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from history" -l canary -d 'The version that gets it' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from history" -l object -d 'The VirtualService or Gateway API route to change, if several route the service' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from history" -l route -d 'The only route to change, by name or number [default: all that send to the stable version]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from history" -l istio-namespace -d 'Namespace of the control plane' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from history" -l kubeconfig -d 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod\'s own ServiceAccount]' -r -F
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from history" -l context -d 'Context of the kubeconfig [default: its current one]' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from history" -l as -d 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from history" -l as-group -d 'Group to act as (can be repeated)' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from history" -l as-uid -d 'UID to act as' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from history" -l request-timeout -d 'Time that one request may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from history" -l timeout -d 'Time that all of the work may take' -r
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from history" -l color -d 'When to use colors' -r -f -a "auto\t'On terminals, unless NO_COLOR is set'
always\t'Always'
never\t'Never'"
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from history" -s q -l quiet -d 'Print errors and data only: no notes, no summary'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from history" -s v -l verbose -d 'Say more: what was skipped, and why'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from history" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c meshctl -n "__fish_meshctl_using_subcommand canary; and __fish_seen_subcommand_from history" -s V -l version -d 'Print version'
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
