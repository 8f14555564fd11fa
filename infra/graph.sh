#!/usr/bin/env bash
# The changes in Microsoft Graph, once for each tenant. Run it as an administrator (Privileged Role Administrator and Cloud
# Application Administrator) who is signed in with az. It can be run again: existing objects stay, and missing ones are
# created.
#
#   infra/graph.sh PRINCIPAL_ID [API_NAME [HOST]]
#
# PRINCIPAL_ID and HOST are the deployment's outputs principalId and host. With API_NAME it also creates the application that
# callers sign in to, with HOST also the address to which a browser returns after the sign-in.
set -euo pipefail

principal=${1:?the principal id of the identity, an output of the deployment}
api=${2:-}
host=${3:-}
here=$(dirname "$0")
platform=${PLATFORM_APPLICATION_ID:-55f300d4-fc50-4c5e-9222-e90a6e2187fb}
graph=$(az cloud show --query endpoints.microsoftGraphResourceId --output tsv)
graph=${graph%/}
graph_application=00000003-0000-0000-c000-000000000000
owned_by=18a4783c-866b-4cc7-a460-3d5e5662c884 # Application.ReadWrite.OwnedBy
azure_cli=04b07795-8ddb-461a-bbee-02f9e1bf7b46
user_impersonation=5d1f6f0e-6f0b-4f3a-9a52-0a4f4d3c1a03 # the scope in api-scope.json

# The platform's service principal in this tenant. Because it is created here, the app needs no right to create it.
az ad sp show --id "$platform" --output none 2>/dev/null || az ad sp create --id "$platform" --output none
echo "The platform's service principal exists."

assignments="$graph/v1.0/servicePrincipals/$principal/appRoleAssignments"
held=$(az rest --method get --url "$assignments" --query "value[?appRoleId=='$owned_by'] | length(@)" --output tsv)
if [ "$held" = 0 ]; then
    resource=$(az ad sp show --id "$graph_application" --query id --output tsv)
    az rest --method post --url "$assignments" --output none --body \
        "{\"principalId\": \"$principal\", \"resourceId\": \"$resource\", \"appRoleId\": \"$owned_by\"}"
fi
echo "The identity has Application.ReadWrite.OwnedBy."

if [ -n "$api" ]; then
    id=$(az ad app list --filter "displayName eq '$api'" --query '[0].appId' --output tsv)
    if [ -z "$id" ]; then
        id=$(az ad app create --display-name "$api" --sign-in-audience AzureADMyOrg \
            --requested-access-token-version 2 --app-roles "@$here/app-roles.json" --query appId --output tsv)
    fi
    if [ "$(az ad app show --id "$id" --query 'length(identifierUris)' --output tsv)" = 0 ]; then
        az ad app update --id "$id" --identifier-uris "api://$id"
    fi
    # The scope that a user's client gets a token for, and az as a client that needs no consent.
    application="$graph/v1.0/applications(appId='$id')"
    scope=$(az ad app show --id "$id" --query "api.oauth2PermissionScopes[?value=='user_impersonation'].id" --output tsv)
    if [ -z "$scope" ]; then
        # A list is replaced as a whole, so it keeps what is in it.
        ours=$(cat "$here/api-scope.json")
        body=$(az ad app show --id "$id" --output json --query "{api: {oauth2PermissionScopes:
            [api.oauth2PermissionScopes, [\`$ours\`]][]}}")
        az rest --method patch --url "$application" --output none --body "$body"
        scope=$user_impersonation
    fi
    clients=$(az ad app show --id "$id" --output tsv \
        --query "api.preAuthorizedApplications[?appId=='$azure_cli'] | length(@)")
    if [ "$clients" = 0 ]; then
        body=$(az ad app show --id "$id" --output json --query "{api: {preAuthorizedApplications:
            [api.preAuthorizedApplications, [{appId: '$azure_cli', delegatedPermissionIds: ['$scope']}]][]}}")
        az rest --method patch --url "$application" --output none --body "$body"
    fi
    if [ -n "$host" ]; then
        address="https://$host/.auth/login/aad/callback"
        addresses=$(az ad app show --id "$id" --query "web.redirectUris" --output tsv)
        if ! grep -qxF "$address" <<<"$addresses"; then
            # shellcheck disable=SC2086 # one argument for each address
            az ad app update --id "$id" --web-redirect-uris $addresses "$address" --enable-id-token-issuance true
        fi
    fi
    az ad sp show --id "$id" --output none 2>/dev/null || az ad sp create --id "$id" --output none
    echo "API_APPLICATION_ID=$id"
fi
