const WANTED = 2
/** Epochs until another model takes the place of one. */
const EPOCHS = 5
/** Every miner lists all that will be wanted. */
export const MODELS = 40

export const modelNamed = (number: number) => `org/model-${number % MODELS}`

/** The models wanted in an epoch; one of them comes and one goes every five epochs. */
export function modelsIn(epoch: number): string[] {
  const firstWanted = Math.floor(epoch / EPOCHS)
  return Array.from({ length: WANTED }, (_, index) => modelNamed(firstWanted + index))
}
