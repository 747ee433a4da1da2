/** A bar on the terminal of whoever waits; nothing where nobody watches. */
export interface Progress {
  /** `done` from 0 to 1. */
  at(done: number, text: string): void
  end(): void
}

const CELLS = 24
const DRAW_MS = 100

export function progress(title: string, terminal: NodeJS.WriteStream = process.stderr): Progress {
  if (!terminal.isTTY) return { at: () => {}, end: () => {} }
  let drawn = 0
  return {
    at(done, text) {
      if (Date.now() - drawn < DRAW_MS) return
      drawn = Date.now()
      const full = Math.round(Math.min(1, Math.max(0, done)) * CELLS)
      const percent = `${Math.round((full / CELLS) * 100)}`.padStart(3)
      terminal.write(`\r\x1b[2K${title} ${'█'.repeat(full)}${'░'.repeat(CELLS - full)} ${percent} %  ${text}`)
    },
    end: () => void terminal.write('\r\x1b[2K'),
  }
}
