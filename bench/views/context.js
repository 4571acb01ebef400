// What page.html shows. Every tenth name needs escaping, as names do.
export const context = {
  title: 'Orders today',
  user: { name: 'Ada Lovelace', role: 'editor' },
  sections: ['Orders', 'Customers', 'Products', 'Invoices', 'Reports', 'Settings'],
  summary: { open: 17, shipped: 240, late: 3, updated: '14:02:11' },
  customers: Array.from({ length: 13 }, (_, i) => ({
    id: 1000 + i,
    name: i % 10 === 0 ? `Smith & Sons <${i}>` : `Customer number ${i}`,
    city: ['Oslo', 'Lima', 'Pune', 'Kyiv'][i % 4],
    total: (i + 1) * 137,
    late: i % 7 === 0
  })),
  messages: Array.from({ length: 5 }, (_, i) => ({ from: `Person ${i}`, text: `Parcel ${i} has left the building`, at: `14:0${i}` }))
}
