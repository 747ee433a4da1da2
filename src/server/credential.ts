/** The credential of a request: a bearer token, or the user of basic authentication as some SDKs send it. */
export function credentialOf(authorization: string | undefined): string | null {
  const [, scheme, text] = /^(Bearer|Basic) +(\S+)$/i.exec(authorization ?? '') ?? []
  if (!scheme || !text) return null
  if (scheme.toLowerCase() === 'bearer') return text
  return Buffer.from(text, 'base64').toString('latin1').split(':', 1)[0] || null
}
