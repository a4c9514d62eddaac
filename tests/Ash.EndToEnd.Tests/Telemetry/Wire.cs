using System.Buffers.Binary;
using System.Text;

namespace Ash.EndToEnd.Tests.Telemetry;

/// <summary>A protobuf message, as far as these tests look into one: its fields by number.</summary>
internal sealed class Wire
{
    private readonly List<(int Field, ulong Number, byte[] Bytes)> _fields = [];

    public Wire(ReadOnlySpan<byte> message)
    {
        while (!message.IsEmpty)
        {
            var key = ReadNumber(ref message);
            var field = (int)(key >> 3);
            switch (key & 7)
            {
                case 0:
                    _fields.Add((field, ReadNumber(ref message), []));
                    break;
                case 1:
                    _fields.Add((field, BinaryPrimitives.ReadUInt64LittleEndian(message), []));
                    message = message[8..];
                    break;
                case 2:
                    var length = (int)ReadNumber(ref message);
                    _fields.Add((field, 0, message[..length].ToArray()));
                    message = message[length..];
                    break;
                case 5:
                    _fields.Add((field, BinaryPrimitives.ReadUInt32LittleEndian(message), []));
                    message = message[4..];
                    break;
                default:
                    throw new InvalidDataException($"Wire type {key & 7} is none of protobuf's.");
            }
        }
    }

    public IEnumerable<Wire> All(int field) => _fields.Where(one => one.Field == field).Select(static one => new Wire(one.Bytes));

    public byte[] Bytes(int field) => _fields.LastOrDefault(one => one.Field == field).Bytes ?? [];

    public string Text(int field) => Encoding.UTF8.GetString(Bytes(field));

    public ulong Number(int field) => _fields.LastOrDefault(one => one.Field == field).Number;

    public bool Has(int field) => _fields.Exists(one => one.Field == field);

    private static ulong ReadNumber(ref ReadOnlySpan<byte> message)
    {
        ulong number = 0;
        for (var shift = 0; ; shift += 7)
        {
            var next = message[0];
            message = message[1..];
            number |= (ulong)(next & 0x7f) << shift;
            if (next < 0x80)
            {
                return number;
            }
        }
    }
}
