/**
 * What the operator of a validator is told.
 */
export { openAlerts } from './open-alerts.js'
