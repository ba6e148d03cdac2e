export { developmentMethods } from './development-methods.js'
export { interfaceOf } from './interface.js'
export { type RpcServer, startRpcServer } from './server.js'
