export { announce } from './announce.js'
export { resolveExternalAddress } from './external-address.js'
