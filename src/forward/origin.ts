/** The one origin that an upstream may speak to. */

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/** The origin in plain form. Throws a fault, for the operator, where it is none or would carry the credential in clear. */
export function pinned(origin: string): string {
  const fault = (why: string) =>
    new Error(`The upstream origin ${JSON.stringify(origin)} ${why}. Write it as https://host or https://host:port.`)
  if (!URL.canParse(origin)) throw fault('is not a URL')
  const url = new URL(origin)
  if (url.username || url.password) throw new Error('The upstream origin has a user or password in it. Leave them out.')
  if (url.pathname !== '/' || url.search || url.hash) throw fault('has more than scheme, host and port')
  if (url.protocol === 'https:' || (url.protocol === 'http:' && LOOPBACK.test(url.hostname))) return url.origin
  throw fault(
    url.protocol === 'http:'
      ? 'would send the credential in clear: plain http is for loopback only'
      : 'is neither https nor http',
  )
}

/** A request target that names no host: one slash, then visible ASCII, no fragment and no backslash. */
export const isOriginForm = (path: string): boolean => /^\/(?![/\\])[\x21-\x7e]*$/.test(path) && !/[#\\]/.test(path)
