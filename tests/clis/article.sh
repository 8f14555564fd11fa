#!/usr/bin/env bash
# Runs the help article's commands 2 to 14 with the genuine az and avn, until ACTIVE and Connected.
#
# It takes its cloud from the environment, for instance from `. .local/cloud.env` of a running `make cloud`, and az and
# avn from the PATH. Step 1 signs in a service principal instead of a person in a browser. Newer az versions took
# --available-to-other-tenants away; everything else is as the article has it.
set -euo pipefail

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export AZURE_CONFIG_DIR=$work/azure
export AZURE_CORE_INSTANCE_DISCOVERY=false AZURE_CORE_COLLECT_TELEMETRY=false AZURE_CORE_ONLY_SHOW_ERRORS=true
# MSAL keeps a refusal on disk for a minute; a retry would only read it again.
export AZURE_CORE_USE_MSAL_HTTP_CACHE=false

say() { printf '\n== %s\n' "$*"; }
field() { python3 -c 'import json, sys; print(json.load(sys.stdin)[sys.argv[1]])' "$1"; }

say 1 sign in
az account clear
az login --service-principal -u "$AZURE_CLIENT_ID" -p "$AZURE_CLIENT_SECRET" --tenant "$AZURE_TENANT_ID" >"$work/login.json"
az account set --subscription "$AZURE_SUBSCRIPTION_ID"

say 2 create the application
user_app_id=$(az ad app create --display-name "peering by hand" --sign-in-audience AzureADMultipleOrgs --key-type Password | field appId)

say 3 create its service principal
user_sp_id=$(az ad sp create --id "$user_app_id" | field id)

say 4 set its password
user_app_secret=$(az ad app credential reset --id "$user_app_id" | field password)

say 5 find the VNet
user_vnet_id=$(az network vnet list --query "[?name=='$VNET_NAME'].id | [0]" -o tsv)
echo "$user_vnet_id"

say 6 let the application peer the VNet
network_contributor_role_id=$(az role definition list --name "Network Contributor" --query '[0].id' -o tsv)
az role assignment create --role "$network_contributor_role_id" --assignee-object-id "$user_sp_id" --scope "$user_vnet_id" -o table

say 7 create the service principal of the platform
aiven_sp_id=$(az ad sp create --id 55f300d4-fc50-4c5e-9222-e90a6e2187fb | field id)

say 8 create the custom role for the platform
aiven_role_id=$(az role definition create --role-definition '{"Name": "peering by hand", "Description": "Allows creating a peering to vnets in scope (but not from)", "Actions": ["Microsoft.Network/virtualNetworks/peer/action"], "AssignableScopes": ["/subscriptions/'"$AZURE_SUBSCRIPTION_ID"'"]}' | field id)

say 9 assign it on the VNet
az role assignment create --role "$aiven_role_id" --assignee-object-id "$aiven_sp_id" --scope "$user_vnet_id" -o table

say 10 find the tenant id
user_tenant_id=$(az account list --query '[0].tenantId' -o tsv)

say 11 create the peering connection
connection=(
    --project "$AIVEN_PROJECT" --project-vpc-id "$AIVEN_PROJECT_VPC_ID" --peer-cloud-account "${AZURE_SUBSCRIPTION_ID,,}"
    --peer-resource-group "${RESOURCE_GROUP,,}" --peer-vpc "${VNET_NAME,,}"
)
avn vpc peering-connection create "${connection[@]}" --peer-azure-app-id "$user_app_id" --peer-azure-tenant-id "$user_tenant_id"

await() {
    for _ in $(seq 60); do
        avn vpc peering-connection get -v --json "${connection[@]}" >"$work/connection.json"
        [ "$(field state <"$work/connection.json")" = "$1" ] && return
        sleep 1
    done
    cat "$work/connection.json" && return 1
}

say 12 wait for PENDING_PEER
await PENDING_PEER
avn vpc peering-connection get -v "${connection[@]}"
info=$(python3 -c 'import json, sys; print(*(json.load(open(sys.argv[1]))["state_info"][k] for k in ("to-tenant-id", "to-network-id")))' "$work/connection.json")
read -r aiven_tenant_id aiven_vnet_id <<<"$info"

say 13 create the VNet peering
az account clear
az login --service-principal -u "$user_app_id" -p "$user_app_secret" --tenant "$user_tenant_id" -o table
az login --service-principal -u "$user_app_id" -p "$user_app_secret" --tenant "$aiven_tenant_id" -o table
az network vnet peering create --name by-hand --remote-vnet "$aiven_vnet_id" --vnet-name "$VNET_NAME" --resource-group "$RESOURCE_GROUP" --subscription "$AZURE_SUBSCRIPTION_ID" --allow-vnet-access
state=$(az network vnet peering show --name by-hand --vnet-name "$VNET_NAME" --resource-group "$RESOURCE_GROUP" --subscription "$AZURE_SUBSCRIPTION_ID" --query peeringState -o tsv)

say 14 wait for ACTIVE
await ACTIVE
avn vpc peering-connection get -v "${connection[@]}"
echo "Aiven $(field state <"$work/connection.json"), Azure $state"
