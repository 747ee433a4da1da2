/**
 * Promises: every operation of every provider by name or by raw route, and nothing that is not listed; params as one tree
 * that is judged and sent alike; what a call would really move and whom it concerns, once the objects that it names are
 * read; copies without secrets. Refusals are returned. Reads files at start, and nothing after.
 */
export { actualCost } from './actual-cost.ts'
export { type Catalogue, loadCatalogue } from './catalogue.ts'
export { parseForm } from './form.ts'
export { parseJson } from './json.ts'
export { serviceNames } from './names.ts'
export { redactText } from './redact.ts'
