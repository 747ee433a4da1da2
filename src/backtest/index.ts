/**
 * Recorded calls, asked again: what another policy would change. A row becomes the question that policy answered then, as far
 * as the row, the key and the catalogue hold it; what cannot be asked again is left out and counted, never guessed.
 *
 * Not played again: spend caps (a call that policy newly allows may still be refused by one, and `input.spend` is what the
 * counters held then), replays, and params that the trail holds redacted: they are judged as they are recorded.
 */
export {
  type Change,
  compare,
  FAIL_ON,
  type FailOn,
  failsOn,
  type Group,
  type Judgement,
  type Report,
} from './compare.ts'
export { LEFT_OUT, type LeftOut, type Recall, type Recorded, recall } from './recall.ts'
