using Ash.Server.Storage;

namespace Ash.Server.Credentials;

/// <summary>
/// Seals with the current key, once after the start and beside all else, what an earlier key has sealed, or what releases before
/// this have left plain. Until then it is read as it is.
/// </summary>
internal sealed partial class SealedTextRotation(
    SealedTexts texts, IEnumerable<ISealedRows> tables, ILogger<SealedTextRotation> logger) : BackgroundService
{
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var (sealedAnew, unreadable) = (0, 0);
        try
        {
            foreach (var table in tables)
            {
                foreach (var id in await table.FindStaleAsync(texts.CurrentPrefix ?? SealedTexts.NoPrefix, stoppingToken))
                {
                    stoppingToken.ThrowIfCancellationRequested();
                    if (await TrySealAnewAsync(table, id))
                    {
                        sealedAnew++;
                    }
                    else
                    {
                        unreadable++;
                    }
                }
            }
        }
        catch (Exception failure) when (StoreException.MayPass(failure))
        {
            // The earlier keys open them still.
            LogFailed(failure);
        }

        if (sealedAnew > 0)
        {
            LogSealedAnew(sealedAnew);
        }

        if (unreadable > 0)
        {
            LogUnreadable(unreadable);
        }
    }

    private static async Task<bool> TrySealAnewAsync(ISealedRows table, Guid id)
    {
        try
        {
            await table.SealAnewAsync(id);
            return true;
        }
        catch (SealedTextException)
        {
            return false;
        }
    }

    [LoggerMessage(LogLevel.Information, "Sealed the environments and configurations of {Count} agents and sessions with the current credential key")]
    private partial void LogSealedAnew(int count);

    [LoggerMessage(
        LogLevel.Warning,
        "What {Count} agents and sessions have of environments and configurations is sealed with a key that is not here; "
        + "set ASH_CREDENTIAL_KEY_PREVIOUS, or restore credential.key")]
    private partial void LogUnreadable(int count);

    [LoggerMessage(LogLevel.Warning, "Not all environments and configurations are sealed with the current credential key; the next start tries again")]
    private partial void LogFailed(Exception failure);
}
