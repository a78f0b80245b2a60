// Charges a customer. The bank is sometimes busy, which is worth another try, and sometimes says no, which is not.
class BankBusy extends Error {
  name = "BankBusy";
}
class CardDeclined extends Error {
  name = "CardDeclined";
}

let asked = 0;

export async function handler({ customer, amount }: { customer: string; amount: number }) {
  if (amount > 100_000) throw new CardDeclined(`${customer} cannot pay ${amount}`);
  if (++asked % 3 === 0) throw new BankBusy("ask again");
  return { customer, amount, charged: true };
}
