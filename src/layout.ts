/** Where the package keeps what is not code. `src/` and `dist/` lie side by side, so the same steps lead there from both. */
import { fileURLToPath } from 'node:url'

export const PACKAGE_DIR = new URL('../', import.meta.url)
export const SCHEMAS_DIR = new URL('schemas/', PACKAGE_DIR)
export const PROVIDERS_DIR = fileURLToPath(new URL('providers/', SCHEMAS_DIR))
export const STARTER_POLICY_DIR = fileURLToPath(new URL('rego/', PACKAGE_DIR))
export const POLICY_LIBRARY_DIR = fileURLToPath(new URL('rego/countersign/', PACKAGE_DIR))
export const PREPARED_DATABASE = fileURLToPath(new URL('dist/pglite-prepared.tar.gz', PACKAGE_DIR))
