/** Users of the hub on a localnet: a seeded stream of requests by the OpenAI package. */
export { runUsers, type UserCounts, type Users, type UsersOptions } from './users.js'
