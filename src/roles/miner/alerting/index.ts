/** What the operator of a miner is told. */

export { minerConditions } from './miner-conditions.js'
export { createModelEnds, isServed, type ModelEnds } from './model-ends.js'
