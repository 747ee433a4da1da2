/** Starts the embedded database of a configuration. Loads next to nothing, so it can be under way before anything else. */
import type { Config } from '../config.ts'
import { PREPARED_DATABASE } from '../layout.ts'
import { type PgliteThread, startPglite } from '../store/pglite/index.ts'

export const startEmbedded = ({ data_dir }: Pick<Config, 'data_dir'>): Promise<PgliteThread> =>
  startPglite({ dataDir: data_dir, preparedFile: PREPARED_DATABASE })
