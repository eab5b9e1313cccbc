# One node in the patch window, in two steps of a Systems Manager document: `check` verifies that enough time is left,
# and `restart` restarts the node if the patches require it. A restart cordons the node, evicts its pods by the API,
# which respects disruption budgets, and uncordons the node when it is ready. Section 5.1. Runs as root on the node,
# with the node's identity, which may cordon this node and evict its pods only. Argument: check or restart. Environment:
# CLUSTER and AWS_REGION; ZONE, END (such as 04:00) and WINDOW_SECONDS, which define the window; INSTALL_SECONDS,
# DRAIN_SECONDS and RESTART_SECONDS, the limits of each part. Exit status 194 makes the agent reboot the node and run
# the step again.
set -euo pipefail
MARK=mcp.msil.com/restart
boot=$(< "${BOOT_ID:-/proc/sys/kernel/random/boot_id}")
kubeconfig=${KUBELET_CONFIG:-/var/lib/kubelet/kubeconfig}
answer=$(mktemp)
trap 'rm -f "$answer"' EXIT
renew=0
PAUSE=${PAUSE:-5}

fail() {
    echo "✗ $*" >&2
    exit 1
}
# Seconds until the window ends; 0 if that is more than its length.
seconds_left() {
    local now end
    now=$(date +%s)
    end=$(TZ=$ZONE date --date "$END" +%s)
    ((end > now)) || end=$(TZ=$ZONE date --date "tomorrow $END" +%s)
    if ((end - now > WINDOW_SECONDS)); then echo 0; else echo $((end - now)); fi
}
fits() {
    local left
    left=$(seconds_left)
    ((left >= $2)) || fail "$1 takes up to $(($2 / 60)) minutes, and the window is open for $((left / 60)) more: next time"
}

# Calls the API server, and prints the HTTP status: 000 without a response. The response is in the file $answer.
call() {
    local method=$1 path=$2 body=${3-} type=application/json
    [[ $method != PATCH ]] || type=application/merge-patch+json
    curl --silent --max-time 30 --cacert "$ca" --output "$answer" --write-out '%{http_code}' --request "$method" \
        --header @<(printf 'Authorization: Bearer %s\n' "$token") --header "Content-Type: $type" \
        ${body:+--data "$body"} "$server$path" || true
}
# A token is valid for a quarter of an hour.
authenticate() {
    ((SECONDS >= renew)) || return 0
    token=$(aws eks get-token --cluster-name "$CLUSTER" --region "$AWS_REGION" --output json | jq --raw-output .status.token)
    renew=$((SECONDS + 300))
}
# Retries for a minute: while the node starts, or the API server is busy, there may be no response.
need() {
    local what=$1 status tries=12
    shift
    status=$(call "$@")
    while [[ $status =~ ^(000|429|5..)$ ]] && ((tries-- > 0)); do
        sleep "$PAUSE"
        status=$(call "$@")
    done
    [[ $status == 20? ]] || fail "$what: $status $(reason)"
}
reason() {
    jq --raw-output '.message // ""' "$answer" 2> /dev/null || true
}
look() {
    authenticate
    need "$node cannot be read" GET "/api/v1/nodes/$node"
    cordoned=$(jq '.spec.unschedulable // false' "$answer")
    # Readiness from before this boot does not count.
    ready=$(jq --arg boot "$boot" '.status | .nodeInfo.bootID == $boot
        and any(.conditions[]?; .type == "Ready" and .status == "True")' "$answer")
    mark=$(jq --raw-output --arg mark "$MARK" '.metadata.annotations[$mark] // ""' "$answer")
}
# The mark stores the boot id at which the node was cordoned, and whether it was cordoned already.
cordon() {
    [[ -n $mark ]] || mark="$boot $cordoned"
    need "$node cannot be cordoned" PATCH "/api/v1/nodes/$node" \
        "{\"metadata\":{\"annotations\":{\"$MARK\":\"$mark\"}},\"spec\":{\"unschedulable\":true}}"
}
give_back() {
    look
    [[ -n $mark ]] || return 0
    need "$node cannot be uncordoned" PATCH "/api/v1/nodes/$node" \
        "{\"metadata\":{\"annotations\":{\"$MARK\":null}},\"spec\":{\"unschedulable\":${mark#* }}}"
}
needs_restart() {
    local hint command=(needs-restarting)
    # Amazon Linux 2, and 2023.
    ! command -v dnf > /dev/null || command=(dnf --quiet needs-restarting)
    hint=$(LC_ALL=C "${command[@]}" --reboothint 2>&1) || true
    case $hint in
        *"Reboot is required"*) return 0 ;;
        *"not be necessary"* | *"not necessary"*) return 1 ;;
        *) fail "needs-restarting says neither that a restart is required nor that it is not: $hint" ;;
    esac
}

# Pods to evict: not static or DaemonSet pods, which would start here again, nor completed ones.
PODS='.items[]
    | select(.metadata.annotations["kubernetes.io/config.mirror"] == null)
    | select(.status.phase != "Succeeded" and .status.phase != "Failed")
    | ((.metadata.ownerReferences // []) | map(select(.controller)) | first.kind // "none") as $owner
    | select($owner != "DaemonSet")
    | [.metadata.namespace, .metadata.name, $owner, (.metadata.deletionTimestamp // "stays")] | join(" ")'
drain() {
    local deadline=$((SECONDS + DRAIN_SECONDS)) pods lone namespace name owner leaving status
    while true; do
        authenticate
        need "pods of $node cannot be listed" GET "/api/v1/pods?fieldSelector=spec.nodeName%3D$node"
        pods=$(jq --raw-output "$PODS" "$answer")
        [[ -n $pods ]] || return 0
        lone=$(awk '$3 == "none" && $4 == "stays" { print $1 "/" $2 }' <<< "$pods")
        [[ -z $lone ]] || fail "no controller would replace these pods of $node:" $lone
        ((SECONDS < deadline)) || fail "these pods of $node did not go within $((DRAIN_SECONDS / 60)) minutes:" $(awk '{ print $1 "/" $2 }' <<< "$pods")
        while read -r namespace name owner leaving; do
            # Waits for a Job's pod: eviction would fail the Job.
            [[ $leaving == stays && $owner != Job ]] || continue
            status=$(call POST "/api/v1/namespaces/$namespace/pods/$name/eviction" \
                "{\"apiVersion\":\"policy/v1\",\"kind\":\"Eviction\",\"metadata\":{\"name\":\"$name\",\"namespace\":\"$namespace\"}}")
            case $status in
                # Evicted or deleted; or a budget allows none now; or the API server is busy.
                20? | 404 | 429 | 5?? | 000) ;;
                *) fail "$namespace/$name cannot be evicted: $status $(reason)" ;;
            esac
        done <<< "$pods"
        sleep "$PAUSE"
    done
}

if [[ $1 == check ]]; then
    fits "a node with its patches and a restart" $((INSTALL_SECONDS + DRAIN_SECONDS + RESTART_SECONDS))
    exit 0
fi

server=$(sed -n 's/^ *server: *//p' "$kubeconfig")
ca=$(sed -n 's/^ *certificate-authority: *//p' "$kubeconfig")
authenticate
need "this node's name is unknown" POST /apis/authentication.k8s.io/v1/selfsubjectreviews \
    '{"apiVersion":"authentication.k8s.io/v1","kind":"SelfSubjectReview"}'
user=$(jq --raw-output .status.userInfo.username "$answer")
[[ $user == system:node:?* ]] || fail "the API server takes this node for $user, expected system:node:NAME"
node=${user#system:node:}

# During its start, the API server may be unreachable.
deadline=$((SECONDS + RESTART_SECONDS))
look
if [[ -n $mark && ${mark% *} != "$boot" ]]; then
    until [[ $ready == true ]]; do
        ((SECONDS < deadline)) || fail "$node is not ready $((RESTART_SECONDS / 60)) minutes after its restart: it stays cordoned"
        sleep "$PAUSE"
        look
    done
    give_back
    echo "✓ $node has been restarted, and is ready"
    exit 0
fi
if ! needs_restart; then
    give_back
    echo "✓ $node needs no restart"
    exit 0
fi
trap 'rm -f "$answer"; give_back' EXIT
fits "a restart of $node" $((DRAIN_SECONDS + RESTART_SECONDS))
cordon
drain
trap 'rm -f "$answer"' EXIT
echo "✓ $node has been drained, and restarts now"
exit 194
