// Types that several modules share.

@export()
type Texts = { *: string }

@export()
@secure()
type SecretTexts = { *: string }
