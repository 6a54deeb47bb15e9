
use builtin;
use str;

set edit:completion:arg-completer[meshctl] = {|@words|
    fn spaces {|n|
        builtin:repeat $n ' ' | str:join ''
    }
    fn cand {|text desc|
        edit:complex-candidate $text &display=$text' '(spaces (- 14 (wcswidth $text)))$desc
    }
    var command = 'meshctl'
    for word $words[1..-1] {
        if (str:has-prefix $word '-') {
            break
        }
        set command = $command';'$word
    }
    var completions = [
        &'meshctl'= {
            cand --color 'When to use colors'
            cand -q 'Print errors and data only: no notes, no summary'
            cand --quiet 'Print errors and data only: no notes, no summary'
            cand -v 'Say more: what was skipped, and why'
            cand --verbose 'Say more: what was skipped, and why'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand analyze 'Find what is wrong with mesh configuration'
            cand explain 'Explain a rule, a kind of resource, or a field'
            cand precheck 'Check whether a cluster can take a mesh, and whether the one that it has is in order'
            cand completion 'Print a completion script for a shell'
            cand version 'Print the version, and which versions of Istio it is for'
            cand util 'Generate files about the program'
        }
        &'meshctl;analyze'= {
            cand --kubeconfig 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod''s own ServiceAccount]'
            cand --context 'Context of the kubeconfig [default: its current one]'
            cand --as 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)'
            cand --as-group 'Group to act as (can be repeated)'
            cand --as-uid 'UID to act as'
            cand --request-timeout 'Time that one request may take'
            cand --timeout 'Time that all of the work may take'
            cand -o 'Form of the output'
            cand --output 'Form of the output'
            cand --fail-on 'When to exit with status 1 [default: error]'
            cand --select 'Run only these rules, by name or code (comma-separated, can be repeated)'
            cand --ignore 'Do not run these rules, by name or code (comma-separated, can be repeated)'
            cand -n 'Namespace of objects that name none [default: default]; with --cluster, the only one to report on'
            cand --namespace 'Namespace of objects that name none [default: default]; with --cluster, the only one to report on'
            cand --istio-namespace 'Namespace of the control plane [default: istio-system]'
            cand --revision 'Revision of the control plane, whose configuration and objects count with --cluster'
            cand --cluster-domain 'DNS domain of the cluster [default: cluster.local]'
            cand --mesh-config 'Mesh-wide configuration (MeshConfig) to use instead of the one in the input''s ConfigMap `istio`'
            cand --mesh-networks 'Networks of the mesh (MeshNetworks)'
            cand --config 'Settings file to use instead of the nearest meshctl.toml'
            cand --color 'When to use colors'
            cand --cluster 'Read the cluster; with PATH, lay the files over it'
            cand -A 'Report on all namespaces, which is the default with --cluster'
            cand --all-namespaces 'Report on all namespaces, which is the default with --cluster'
            cand --all-findings 'With PATH and --cluster, report also what the cluster has without the files'
            cand --no-config 'Use no settings file'
            cand -q 'Print errors and data only: no notes, no summary'
            cand --quiet 'Print errors and data only: no notes, no summary'
            cand -v 'Say more: what was skipped, and why'
            cand --verbose 'Say more: what was skipped, and why'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'meshctl;explain'= {
            cand -o 'Form of the output'
            cand --output 'Form of the output'
            cand --color 'When to use colors'
            cand -q 'Print errors and data only: no notes, no summary'
            cand --quiet 'Print errors and data only: no notes, no summary'
            cand -v 'Say more: what was skipped, and why'
            cand --verbose 'Say more: what was skipped, and why'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'meshctl;precheck'= {
            cand --profile 'Profile to be installed'
            cand --mesh-version 'Version of Istio to be installed, such as 1.30 or 1.30.1 [default: the newest known]'
            cand --istio-namespace 'Namespace of the control plane'
            cand --revision 'Revision to be installed [default: the one without a name]'
            cand --select 'Make only these checks, or those of these categories (comma-separated, can be repeated)'
            cand --ignore 'Leave these checks out, or those of these categories (comma-separated, can be repeated)'
            cand --wait 'Look again until checks that can pass by themselves do, for at most this time [default: 5m]'
            cand -o 'Form of the output'
            cand --output 'Form of the output'
            cand --fail-on 'When to exit with status 1'
            cand --kubeconfig 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod''s own ServiceAccount]'
            cand --context 'Context of the kubeconfig [default: its current one]'
            cand --as 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)'
            cand --as-group 'Group to act as (can be repeated)'
            cand --as-uid 'UID to act as'
            cand --request-timeout 'Time that one request may take'
            cand --timeout 'Time that all of the work may take'
            cand --color 'When to use colors'
            cand -q 'Print errors and data only: no notes, no summary'
            cand --quiet 'Print errors and data only: no notes, no summary'
            cand -v 'Say more: what was skipped, and why'
            cand --verbose 'Say more: what was skipped, and why'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'meshctl;completion'= {
            cand --color 'When to use colors'
            cand -q 'Print errors and data only: no notes, no summary'
            cand --quiet 'Print errors and data only: no notes, no summary'
            cand -v 'Say more: what was skipped, and why'
            cand --verbose 'Say more: what was skipped, and why'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'meshctl;version'= {
            cand -o 'Form of the output'
            cand --output 'Form of the output'
            cand --kubeconfig 'Kubeconfig file [default: $KUBECONFIG, then ~/.kube/config, then the pod''s own ServiceAccount]'
            cand --context 'Context of the kubeconfig [default: its current one]'
            cand --as 'User to act as, or ServiceAccount (system:serviceaccount:NAMESPACE:NAME)'
            cand --as-group 'Group to act as (can be repeated)'
            cand --as-uid 'UID to act as'
            cand --request-timeout 'Time that one request may take'
            cand --timeout 'Time that all of the work may take'
            cand --color 'When to use colors'
            cand --client 'Only the program''s own version; the default'
            cand --remote 'Ask the cluster for its control planes and proxies too'
            cand --cluster 'Ask the cluster for its control planes and proxies too'
            cand -q 'Print errors and data only: no notes, no summary'
            cand --quiet 'Print errors and data only: no notes, no summary'
            cand -v 'Say more: what was skipped, and why'
            cand --verbose 'Say more: what was skipped, and why'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'meshctl;util'= {
            cand --color 'When to use colors'
            cand -q 'Print errors and data only: no notes, no summary'
            cand --quiet 'Print errors and data only: no notes, no summary'
            cand -v 'Say more: what was skipped, and why'
            cand --verbose 'Say more: what was skipped, and why'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
            cand man-pages 'Write a manual page for each command'
            cand markdown-help 'Print the reference of all commands as Markdown'
        }
        &'meshctl;util;man-pages'= {
            cand --dir 'Folder to write to; made if it is not there'
            cand --color 'When to use colors'
            cand -q 'Print errors and data only: no notes, no summary'
            cand --quiet 'Print errors and data only: no notes, no summary'
            cand -v 'Say more: what was skipped, and why'
            cand --verbose 'Say more: what was skipped, and why'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
        &'meshctl;util;markdown-help'= {
            cand --color 'When to use colors'
            cand -q 'Print errors and data only: no notes, no summary'
            cand --quiet 'Print errors and data only: no notes, no summary'
            cand -v 'Say more: what was skipped, and why'
            cand --verbose 'Say more: what was skipped, and why'
            cand -h 'Print help (see more with ''--help'')'
            cand --help 'Print help (see more with ''--help'')'
            cand -V 'Print version'
            cand --version 'Print version'
        }
    ]
    $completions[$command]
}
