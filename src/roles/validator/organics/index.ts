/**
 * Organics: users' requests from the hub, scored and reported back, and the reports of our rounds to the hub. Tests named
 * after a behaviour: organics.test.ts (organic-score.ts).
 */
export { openHub } from './hub.js'
