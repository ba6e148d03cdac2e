export { isForbiddenAddress, originOf } from './address-guard.js'
export { admitValidator } from './admission.js'
export type { Serving } from './candidates.js'
export { createSubnetView, type SubnetView } from './subnet-view.js'
