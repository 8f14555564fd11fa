#!/usr/bin/env bash
# Makes the app's identity an owner of applications that the identity of an earlier deployment created, and of their service
# principals. With Application.ReadWrite.OwnedBy the app can change nothing else. Run it as an administrator (Cloud
# Application Administrator) who is signed in with az. It can be run again: an owner stays one.
#
#   infra/own.sh PRINCIPAL_ID APPLICATION_ID...
#
# PRINCIPAL_ID is the deployment's output principalId.
set -euo pipefail

principal=${1:?the principal id of the identity, an output of the deployment}
shift
graph=$(az cloud show --query endpoints.microsoftGraphResourceId --output tsv)
graph=${graph%/}

for application in "$@"; do
    held=$(az ad app owner list --id "$application" --query "[?id=='$principal'] | length(@)" --output tsv)
    if [ "$held" = 0 ]; then
        az ad app owner add --id "$application" --owner-object-id "$principal"
    fi
    # az has no command for the owners of a service principal.
    id=$(az ad sp show --id "$application" --query id --output tsv)
    owners="$graph/v1.0/servicePrincipals/$id/owners"
    held=$(az rest --method get --url "$owners" --query "value[?id=='$principal'] | length(@)" --output tsv)
    if [ "$held" = 0 ]; then
        az rest --method post --url "$owners/\$ref" --output none --body \
            "{\"@odata.id\": \"$graph/v1.0/directoryObjects/$principal\"}"
    fi
    echo "$principal owns $application."
done
