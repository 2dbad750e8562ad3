import { goodsTotal } from './basket.js';

const FREE_FROM = 5000;
const FEE = 490;

/** What sending a basket costs, in cents: nothing from 50.00 on. */
export function shippingCost(basket) {
  return goodsTotal(basket) > FREE_FROM ? 0 : FEE;
}
