/** The user has stopped reading, which is the same as leaving. */
export class UserStalled extends Error {
  override readonly name = 'UserStalled'
}
