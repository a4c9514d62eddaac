namespace Ash.Server.Broker;

/// <summary>Reads along with a reply that comes in pieces of any size, in bounded memory.</summary>
internal interface IUsageScanner
{
    void Read(ReadOnlySpan<byte> bytes);
}
