export type { EngineState } from './engine-state.js'
export { makeMetrics } from './metrics.js'
export { route } from './router.js'
export { Slots } from './slots.js'
