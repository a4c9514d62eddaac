namespace Ash.Server.Attachments;

/// <summary>What the host must know to offer attachments.</summary>
internal static class AttachmentsFeature
{
    public static IServiceCollection AddAttachments(this IServiceCollection services)
    {
        services.AddSingleton<AttachmentFiles>();
        services.AddSingleton<AttachmentDirectory>();
        return services;
    }
}
