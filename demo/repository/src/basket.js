/** What the things in a basket cost together, in cents. */
export function goodsTotal(basket) {
  return basket.reduce((sum, { price, amount }) => sum + price * amount, 0);
}
