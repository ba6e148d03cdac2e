export { developmentMethods } from './development-methods.js'
export { type FaultSettings, Faults, type SubmissionFault } from './faults.js'
export { rpcModuleOf } from './interface.js'
export { type RpcServer, startRpcServer } from './server.js'
