#!/usr/bin/env bash
# Assigns an app role of the API's application to a user, a group or a service principal. Run it as an administrator
# (Cloud Application Administrator) who is signed in with az, after infra/graph.sh. An assignment that exists stays.
#
#   infra/assign-role.sh API_APPLICATION_ID reader|operator OBJECT_ID
#
# OBJECT_ID is that of the user, the group or the service principal.
set -euo pipefail

api=${1:?the application id that infra/graph.sh printed}
role=${2:?reader or operator}
assignee=${3:?the object id of a user, a group or a service principal}
graph=$(az cloud show --query endpoints.microsoftGraphResourceId --output tsv)
graph=${graph%/}

resource=$(az ad sp show --id "$api" --query id --output tsv)
role_id=$(az ad sp show --id "$api" --query "appRoles[?value=='$role'].id | [0]" --output tsv)
: "${role_id:?the application has no role $role}"
# The assignments of a whole group are in pages; those of one assignee are few.
assignments="$graph/v1.0/servicePrincipals/$resource/appRoleAssignedTo"
held=$(az rest --method get --url "$assignments" --url-parameters "\$top=999" \
    --query "value[?appRoleId=='$role_id' && principalId=='$assignee'] | length(@)" --output tsv)
if [ "$held" = 0 ]; then
    az rest --method post --url "$assignments" --output none --body \
        "{\"principalId\": \"$assignee\", \"resourceId\": \"$resource\", \"appRoleId\": \"$role_id\"}"
fi
echo "$assignee has the role $role."
