/** Organics: users' requests from the hub, scored and reported back, and the reports of our rounds to the hub. */
export { openHub } from './hub.js'
