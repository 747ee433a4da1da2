/** One request to a decision door, and what came back. */
export async function answer(url: string, init: RequestInit) {
  const response = await fetch(url, init)
  const text = await response.text()
  // biome-ignore lint/suspicious/noExplicitAny: an answer off the wire, read field by field in assertions
  const body: any = text === '' ? undefined : JSON.parse(text)
  return { status: response.status, headers: response.headers, body }
}

/** The same body as JSON, with the caller's credential where it has one. */
export const ask = (url: string, credential: string | undefined, body: unknown, headers: Record<string, string> = {}) =>
  answer(url, {
    method: 'POST',
    headers: {
      'content-type': 'application/json',
      ...(credential && { authorization: `Bearer ${credential}` }),
      ...headers,
    },
    body: JSON.stringify(body),
  })
