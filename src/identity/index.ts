/**
 * Who calls. A vault key is found by its keyed digest, is alive, and is for this provider; or the call is refused.
 * Secrets never rest in the clear: keys as digests, upstream credentials and stored bodies encrypted.
 */
export { authenticate, type KeyFinder, keyFinder } from './authenticate.ts'
export { type IssuedKey, issueVaultKey, type VaultKeyRequest } from './issue.ts'
export { type MasterKey, masterKey, type Sealer, sealer } from './seal.ts'
export { type Signer, signer } from './sign.ts'
export { type CredentialVault, credentialVault } from './upstream-credential.ts'
