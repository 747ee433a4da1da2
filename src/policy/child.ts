/** Asks a program beside this file one question, in a process of its own that does not outlive the answer. */
import { fork } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** How long a busy machine takes to start a process says nothing about the question. */
const START_MS = 60_000

interface Question {
  readonly message: string | object
  /** How long the program may think, from its message 'ready' on. */
  readonly deadline_ms: number
  readonly execArgv?: readonly string[]
}

/** The program's answer, or null where it thought too long. Throws when it breaks. */
export async function askChild<Answer>(program: URL, question: Question): Promise<Answer | null> {
  const child = fork(fileURLToPath(program), {
    serialization: 'advanced',
    execArgv: [...(question.execArgv ?? [])],
    env: {},
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  })
  let late: NodeJS.Timeout | undefined
  try {
    return await new Promise<Answer | null>((resolve, reject) => {
      const within = (ms: number) => {
        clearTimeout(late)
        late = setTimeout(resolve, ms, null)
      }
      within(START_MS)
      child.on('message', (message) => {
        if (message === 'ready') within(question.deadline_ms)
        else resolve(message as Answer)
      })
      child.once('error', reject)
      child.once('exit', (code, signal) => reject(new Error(`it ended without an answer (${signal ?? code})`)))
      child.send(question.message, (error) => error && reject(error))
    })
  } finally {
    clearTimeout(late)
    child.kill('SIGKILL')
  }
}
