/** What is signed of a revision, a module and a change. What does not verify is not followed, whoever could write it there. */
import { createHash } from 'node:crypto'
import type { Signer } from '../identity/index.ts'
import { canonicalJson } from '../model/canonical.ts'
import type { PolicyChange, PolicyFile, StoredModule, StoredRevision } from '../model/revision.ts'
import { type Candidate, type Digests, digestsOf, type PolicyRefusal, refusePolicy } from '../policy/index.ts'
import { pack, packModule, unpack, unpackModule } from './pack.ts'

/** A digest of all contents stands for them. */
const textOfRevision = ({ revision, own_digest }: Digests): string =>
  `countersign policy revision\n${canonicalJson({ revision, own_digest })}`

const textOfChange = ({ signature: _, ...change }: PolicyChange): string =>
  `countersign policy change\n${canonicalJson(change)}`

const textOfModule = (compiled_as: string, wasm: Buffer): string =>
  `countersign policy module\n${canonicalJson({ compiled_as, sha256: createHash('sha256').update(wasm).digest('hex') })}`

export async function signRevision(
  { revision, own_digest }: Digests,
  files: readonly PolicyFile[],
  signer: Signer,
  created_at: string,
): Promise<StoredRevision> {
  return {
    revision,
    own_digest,
    packed: await pack(files),
    signature: signer.sign(textOfRevision({ revision, own_digest })),
    public_key: signer.public_key,
    created_at,
  }
}

export function signChange(change: Omit<PolicyChange, 'signature'>, signer: Signer): PolicyChange {
  const unsigned = { ...change, signature: Buffer.alloc(0) }
  return { ...unsigned, signature: signer.sign(textOfChange(unsigned)) }
}

export async function signModule(
  { compiled_as, wasm }: Pick<Candidate, 'compiled_as' | 'wasm'>,
  signer: Signer,
  created_at: string,
): Promise<StoredModule> {
  const signature = signer.sign(textOfModule(compiled_as, wasm))
  return { compiled_as, packed: await packModule(wasm), signature, created_at }
}

/** The WASM of a stored module; null where it is not the one that a gateway with this master key signed. */
export async function verifiedModule(
  { compiled_as, packed, signature }: StoredModule,
  signer: Signer,
): Promise<Buffer | null> {
  const wasm = await unpackModule(packed).catch(() => null)
  return wasm !== null && signer.verify(textOfModule(compiled_as, wasm), signature) ? wasm : null
}

/** The files of a stored revision; refused where they are not the ones that a gateway with this master key signed. */
export async function verifiedFiles(
  stored: StoredRevision | null,
  wanted: string,
  signer: Signer,
): Promise<readonly PolicyFile[] | PolicyRefusal> {
  if (stored === null) return untrusted(wanted, 'it is not in the history')
  if (!signer.verify(textOfRevision(stored), stored.signature)) return untrusted(wanted, BAD_SIGNATURE)
  return contentOf(stored)
}

/** The files of a stored revision, signed or not; refused where they are not those that its name stands for. */
export async function contentOf(stored: StoredRevision): Promise<readonly PolicyFile[] | PolicyRefusal> {
  let files: readonly PolicyFile[]
  try {
    files = await unpack(stored.packed)
  } catch (error) {
    return untrusted(stored.revision, `its files do not unpack (${(error as Error).message})`)
  }
  const { revision, own_digest } = await digestsOf(files)
  return revision === stored.revision && own_digest === stored.own_digest
    ? files
    : untrusted(stored.revision, `its files make ${revision}: they were changed after they were signed`)
}

/** Null where the change is as a gateway with this master key wrote it. */
export const unverified = (change: PolicyChange, signer: Signer): PolicyRefusal | null =>
  signer.verify(textOfChange(change), change.signature)
    ? null
    : untrusted(change.revision, `the change ${change.seq} that puts it in force: ${BAD_SIGNATURE}`)

const BAD_SIGNATURE = 'the signature does not verify: another COUNTERSIGN_MASTER_KEY, or a changed row'

const untrusted = (revision: string, why: string): PolicyRefusal =>
  refusePolicy({
    code: 'untrusted',
    message: `the stored revision ${revision} is refused: ${why}`,
    fix: 'See who could write to the database. `countersign policy push` or `policy rollback` puts a good one in force.',
  })
