// How main.bicepparam reads environment variables. One without a text counts as not set, because GitHub Actions passes the
// variables that it does not have as empty texts.

@export()
@description('The value of a variable, or a default.')
func given(value string, default string) string => empty(value) ? default : value

@export()
@description('The value of a variable that may be missing.')
func optional(value string) string? => empty(value) ? null : value

@export()
@description('The number in a variable that may be missing.')
func optionalNumber(value string) int? => empty(value) ? null : int(value)

@export()
@description('The parts of a variable; none without a text.')
func parts(value string, separator string) string[] => filter(split(value, separator), part => !empty(part))
