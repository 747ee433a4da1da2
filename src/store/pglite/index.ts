/**
 * The embedded database as a thread that speaks PostgreSQL's wire protocol, kept in a folder that one process has at a time.
 * It loads next to nothing, so that the thread can start before the rest of the gateway is there.
 */
export { FOLDER, type PgliteThread, startPglite } from './session.ts'
