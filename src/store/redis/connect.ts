/** One connection that rejects fast: no command waits for a Redis that is away. */
import { Cluster, Redis, type RedisOptions } from 'ioredis'
import type { Connection } from './script.ts'

const COMMAND_TIMEOUT_MS = 1000
const RETRY_MS_MAX = 1000

const OPTIONS = {
  commandTimeout: COMMAND_TIMEOUT_MS,
  connectTimeout: COMMAND_TIMEOUT_MS,
  // A peer that vanished without a word: connect anew rather than time out for ever.
  socketTimeout: 2 * COMMAND_TIMEOUT_MS,
  enableOfflineQueue: false,
  // Commands of one turn of the event loop leave in one write.
  enableAutoPipelining: true,
  // Whoever waited has been refused by then. (Were a script sent twice, as a cluster client may, it would still count once.)
  autoResendUnfulfilledCommands: false,
  maxRetriesPerRequest: 0,
  retryStrategy: (times: number) => Math.min(times * 50, RETRY_MS_MAX),
  // A fail-over made this server a replica: connect anew, and let the caller decide about the command.
  reconnectOnError: (error: Error) => error.message.startsWith('READONLY'),
} satisfies RedisOptions

/** `redis://host:6379/0`, `rediss://…`, or a cluster: `redis://a:6379,b:6379,c:6379?cluster=true`. */
function connect(url: string): Connection {
  const cluster = /^(rediss?):\/\/(?:([^@/]*)@)?([^/?]+)\/?\?(?:.*&)?cluster=true(?:&|$)/.exec(url)
  if (cluster === null) return new Redis(url, OPTIONS)
  const [, scheme, credentials, hosts] = cluster
  const [username, password] = (credentials ?? '').split(':').map(decodeURIComponent)
  return new Cluster(
    hosts!.split(',').map((host) => {
      const { hostname, port } = new URL(`redis://${host}`)
      return { host: hostname.replace(/^\[|\]$/g, ''), port: port === '' ? 6379 : Number(port) }
    }),
    {
      enableOfflineQueue: false,
      enableAutoPipelining: OPTIONS.enableAutoPipelining,
      clusterRetryStrategy: OPTIONS.retryStrategy,
      redisOptions: {
        ...OPTIONS,
        ...(username ? { username } : {}),
        ...(password ? { password } : {}),
        ...(scheme === 'rediss' ? { tls: {} } : {}),
      },
    },
  )
}

interface Link {
  readonly connection: Connection
  /** Resolves once commands can be sent. A first connection gets its time; one that was lost rejects at once. */
  ready(): Promise<void>
}

export function link(url: string): Link {
  const connection = connect(url)
  let arriving: Promise<void> | undefined
  return {
    connection,
    async ready() {
      if (connection.status === 'ready') return
      if (connection.status !== 'connecting' && connection.status !== 'connect') {
        throw new Error(`Redis cannot be reached: the connection is in state "${connection.status}"`)
      }
      arriving ??= arrival(connection).finally(() => {
        arriving = undefined
      })
      await arriving
    },
  }
}

const arrival = (connection: Connection): Promise<void> =>
  new Promise((resolve, reject) => {
    const done = (failure?: string) => {
      clearTimeout(timer)
      connection.off('ready', onReady)
      connection.off('close', onClose)
      if (failure === undefined) resolve()
      else reject(new Error(`Redis cannot be reached: ${failure}`))
    }
    const onReady = () => done()
    const onClose = () => done('the connection was refused or closed')
    const timer = setTimeout(() => done('no connection in time'), COMMAND_TIMEOUT_MS)
    connection.on('ready', onReady)
    connection.on('close', onClose)
  })
