export const builtins: Readonly<Record<string, (...args: never[]) => unknown>>
